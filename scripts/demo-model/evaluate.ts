/**
 * `npm run eval:demo`: how often the demo model is right, through the whole pipeline.
 *
 * Fresh clips that neither training nor the choice of a checkpoint has seen are written as mp4, and each is asked about
 * with `model.ask`: decoder, sampling, tower, connector, language model, all as a user has them.
 *
 * ```
 * npm run eval:demo -- [--clips 500] [--first-seed 9000000] [--model BUNDLE] [--mistakes]
 * ```
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

import { type LoadedModel, loadModel } from '../../src/index.js'
import { encodeScene } from './encode.js'
import { QUESTION_KINDS, type Question, type QuestionKind, askAbout } from './questions.js'
import { createRng } from './rng.js'
import { createScene } from './scene.js'
import { type Score, scoreAnswer } from './score.js'
import { wilsonInterval } from '../../src/model/verify/wilson-interval.js'

/** Far from the seeds of training (1,000,000 on), of choosing a checkpoint (5,000,000 on) and of trying it (6,000,000 on). */
const FIRST_SEED = 9_000_000
const QUESTION_SEED = 0x51ed

interface Asked {
  readonly seed: number
  readonly question: Question
  readonly answer: string
  readonly score: Score
}

async function askAboutClip(model: LoadedModel, folder: string, seed: number): Promise<readonly Asked[]> {
  const scene = createScene(seed)
  const path = join(folder, `clip-${seed}.mp4`)
  await encodeScene(path, scene)
  const questions = askAbout(scene, createRng(seed).fork(QUESTION_SEED))
  const answers = await model.ask(path, questions.map(({ question }) => question))
  await rm(path)
  return questions.map((question, index) => {
    const answer = answers[index]?.answer ?? ''
    return { seed, question, answer, score: scoreAnswer(question.kind, question.answer, answer) }
  })
}

const isRight = ({ score }: Asked): boolean => score.right === score.total
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`

function row(name: string, right: number, total: number): string {
  const [low, high] = wilsonInterval(right, total)
  return `| ${name} | ${right} of ${total} | ${percent(right / total)} | ${percent(low)} – ${percent(high)} |\n`
}

function sum(asked: readonly Asked[], pick: (score: Score) => number): number {
  return asked.reduce((total, { score }) => total + pick(score), 0)
}

function printTable(asked: readonly Asked[]): void {
  const ofKind = (kind: QuestionKind): readonly Asked[] => asked.filter(({ question }) => question.kind === kind)
  process.stdout.write('| question | right | share | 95 % interval |\n| --- | --- | --- | --- |\n')
  for (const kind of QUESTION_KINDS) {
    // A description counts by its slots here; in the last row it is right only as a whole.
    const name = kind === 'describe' ? 'describe (slots)' : kind
    process.stdout.write(row(name, sum(ofKind(kind), ({ right }) => right), sum(ofKind(kind), ({ total }) => total)))
  }
  process.stdout.write(row('all (clip, question) pairs', asked.filter(isRight).length, asked.length))
}

function printMistakes(asked: readonly Asked[]): void {
  for (const { seed, question, answer } of asked.filter((one) => !isRight(one))) {
    process.stdout.write(`${seed} ${question.kind}: ${question.question} | ${question.answer} | ${answer}\n`)
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      clips: { type: 'string', default: '500' },
      'first-seed': { type: 'string', default: String(FIRST_SEED) },
      model: { type: 'string' },
      mistakes: { type: 'boolean', default: false },
    },
  })
  const folder = await mkdtemp(join(tmpdir(), 'tinyllava-eval-'))
  const model = await loadModel(values.model)
  try {
    const asked: Asked[] = []
    for (let index = 0; index < Number(values.clips); index += 1) {
      asked.push(...(await askAboutClip(model, folder, Number(values['first-seed']) + index)))
      if (index % 50 === 49) process.stderr.write(`${index + 1} clips\n`)
    }
    printTable(asked)
    if (values.mistakes) printMistakes(asked)
  } finally {
    await model.dispose()
    await rm(folder, { recursive: true })
  }
}

await main()
