/**
 * Answers about one clip of random frames, and prints how long each part took, as JSON.
 *
 * ```sh
 * npx jiti scripts/bench/clip.ts BUNDLE --frames 16 --tokens 64
 * ```
 *
 * `peers/pytorch_clip.py` does the same with the original code.
 */
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'

import { loadRuntime } from '../../src/model/load.js'
import type { Model } from '../../src/model/model.js'
import type { ClipTimes } from './clip-times.js'
import { median } from './measure.js'
import { peakMemoryBytes } from './memory.js'
import { randomPictures } from './random-pictures.js'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    frames: { type: 'string', default: '16' },
    tokens: { type: 'string', default: '64' },
    repeats: { type: 'string', default: '1' },
    threads: { type: 'string', default: String(availableParallelism()) },
  },
})
const [bundle] = positionals
if (bundle === undefined) throw new Error('Name a bundle.')
const [frames, tokens, repeats] = [Number(values.frames), Number(values.tokens), Number(values.repeats)]

const model = await loadRuntime(bundle, { threads: Number(values.threads), device: 'cpu' })
// Every weight is read once before anything counts.
await answerClip(model, { frames: 1, tokens: 2, seed: 0 })
const runs: Parts[] = []
for (let seed = 1; seed <= repeats; seed += 1) runs.push(await answerClip(model, { frames, tokens, seed }))
await model.dispose()

const seconds = (part: keyof Parts): number => median(runs.map((run) => run[part])) / 1000
const times: ClipTimes = {
  ...{ tower: seconds('tower'), connector: seconds('connector'), prefill: seconds('prefill'), decode: seconds('decode') },
  ...{ whole: seconds('whole'), peakBytes: peakMemoryBytes() },
}
process.stdout.write(`${JSON.stringify(times)}\n`)

/** Milliseconds of each part of one answer. */
interface Parts {
  readonly tower: number
  readonly connector: number
  readonly prefill: number
  readonly decode: number
  readonly whole: number
}

/** @param clip.seed Of the frames: each clip is another, so that nothing of an earlier one can be used again. */
async function answerClip(loaded: Model, clip: { frames: number; tokens: number; seed: number }): Promise<Parts> {
  const pictures = randomPictures(clip.frames, loaded.info.imageSize, clip.seed)
  const startedAt = performance.now()
  const features = await loaded.encode(pictures)
  const encodedAt = performance.now()
  const visual = await loaded.connect(features)
  const connectedAt = performance.now()
  const { timingsMs: { prefill, decode }, tokens } = await loaded.generate(visual, 'What happens?', { maxNewTokens: clip.tokens })
  if (tokens.answer !== clip.tokens) throw new Error(`The answer has ${tokens.answer} tokens instead of ${clip.tokens}.`)
  return { tower: encodedAt - startedAt, connector: connectedAt - encodedAt, prefill, decode, whole: performance.now() - startedAt }
}
