import { loadRuntime } from '../../src/model/load.js'
import type { Generation, Model, VisualTokens } from '../../src/model/model.js'
import { type Row, median } from './measure.js'
import { randomPictures } from './random-pictures.js'

/** How questions that are asked at once are timed. */
export interface AnswersBench {
  readonly bundle: string
  /** The model's, in the table. */
  readonly name: string
  readonly threads: number
  /** Questions at once. */
  readonly answers: number
  /** Pictures of the clip that each question is about. */
  readonly frames: number
  /** Most tokens of an answer. */
  readonly tokens: number
  /** In each of which the questions are asked one at a time, then at once; one more before them doesn't count. */
  readonly rounds: number
}

const QUESTION = 'Describe the video.'

/** Times tokens of the whole runtime, prompts included: of questions that are asked at once against one at a time. */
export async function benchAnswersTogether({ bundle, name, threads, answers, frames, tokens, rounds }: AnswersBench): Promise<Row> {
  // Every prompt is taken in as a whole, by whichever way it is asked.
  const model = await loadRuntime(bundle, { threads, device: 'cpu', limits: { maxAnswers: answers, prefixCacheMb: 0 } })
  try {
    const clips = await connectClips(model, answers, frames)
    const ask = (visual: VisualTokens): Promise<Generation> => model.generate(visual, QUESTION, { maxNewTokens: tokens })
    const pairs: { alone: Rate; together: Rate }[] = []
    for (let round = 0; round <= rounds; round += 1) {
      const alone = await measureRate(() => inTurn(clips, ask))
      pairs.push({ alone, together: await measureRate(() => Promise.all(clips.map(ask))) })
    }
    const counted = pairs.slice(1)
    const [alone, together] = [medianRate(counted.map((pair) => pair.alone)), medianRate(counted.map((pair) => pair.together))]
    return {
      what: `runtime, ${name}: ${answers} questions asked at once against one at a time, prompts included`,
      figure: showRate(together),
      against: showRate(alone),
      ratio: together.perSecond / alone.perSecond,
    }
  } finally {
    await model.dispose()
  }
}

/** Clips of random pictures, each another. */
function connectClips(model: Model, count: number, frames: number): Promise<readonly VisualTokens[]> {
  return Promise.all(Array.from({ length: count }, async (_, index) =>
    model.connect(await model.encode(randomPictures(frames, model.info.imageSize, index + 1)))))
}

async function inTurn<Item, Result>(items: readonly Item[], call: (item: Item) => Promise<Result>): Promise<readonly Result[]> {
  const results: Result[] = []
  for (const item of items) results.push(await call(item))
  return results
}

/** Tokens of all answers of a round, and how fast they came. */
interface Rate {
  readonly tokens: number
  readonly perSecond: number
}

async function measureRate(ask: () => Promise<readonly Generation[]>): Promise<Rate> {
  const startedAt = performance.now()
  const generations = await ask()
  const seconds = (performance.now() - startedAt) / 1000
  const tokens = generations.reduce((sum, generation) => sum + generation.tokens.answer, 0)
  return { tokens, perSecond: tokens / seconds }
}

const medianRate = (rates: readonly Rate[]): Rate =>
  ({ tokens: median(rates.map(({ tokens }) => tokens)), perSecond: median(rates.map(({ perSecond }) => perSecond)) })

const showRate = ({ tokens, perSecond }: Rate): string => `${perSecond.toFixed(1)} tokens/s (${tokens} in all)`
