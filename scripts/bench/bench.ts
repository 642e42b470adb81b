/**
 * `npm run bench`: figures as ratios of two things measured in one run on one machine.
 *
 * `npm run bench -- --short` runs everything once and small: to see that nothing breaks. `--cache FOLDER` keeps the
 * checkpoints of random weights and their bundles for the next time, and adds what needs a full-size language model.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

import { demoBundle } from '../../src/service/demo-model.js'
import { benchOptimumStyle } from './against-optimum-style.js'
import { benchAnswersTogether } from './answers-together.js'
import { randomBundle } from './bundles.js'
import { SMALL, TEXT_ONLY, TOWER_ONLY } from './checkpoint/geometry.js'
import { benchDecodeBandwidth } from './decode-bandwidth.js'
import { benchDecodeTogether } from './decode-together.js'
import { benchDemoLatency } from './demo-latency.js'
import { type Row, printRows } from './measure.js'
import { benchSampling } from './sampling.js'
import { benchStartup } from './startup.js'
import { benchStreams } from './streams.js'
import { benchVisionTower } from './vision-tower.js'

const threads = availableParallelism()

/** Everything once and small, in about a minute. Nothing is held to a goal: such small parts say nothing of speed. */
async function runShort(cache: string): Promise<readonly Row[]> {
  const text = { cache, geometry: SMALL, threads, rounds: 1 }
  const small = await randomBundle(cache, SMALL, 'int4')
  return [
    ...await benchVisionTower({ cache, geometry: SMALL, threads, rounds: 1, peakSizes: [512] }),
    ...await benchDecodeBandwidth({ ...text, length: { prompt: 32, tokens: 4 }, bufferBytes: 64e6 }),
    await benchDecodeTogether({ bundle: small, threads, rounds: 2, answers: 8, prompt: 32, chunk: 16, steps: 4 }),
    await benchAnswersTogether({ bundle: small, name: 'small random model', threads, rounds: 1, answers: 8, frames: 2, tokens: 4 }),
    ...await benchOptimumStyle({ ...text, variants: ['int4'], contexts: [32], tokens: 4 }),
    ...await benchStreams({ counts: [1, 2], frames: 16, steadyFrames: 8, rounds: 1 }),
    ...await benchStartup({ repeats: 1 }),
    ...await benchSampling({ minutes: 3, repeats: 1 }),
    await benchDemoLatency({ repeats: 2 }),
  ]
}

async function runLong(cache: string, hasRoom: boolean): Promise<readonly Row[]> {
  const text = { cache, geometry: TEXT_ONLY, threads, rounds: 3 }
  if (!hasRoom) process.stderr.write('bench: without --cache FOLDER nothing that needs a full-size language model is timed (12 GB).\n')
  return [
    ...await benchVisionTower({ cache, geometry: TOWER_ONLY, threads, rounds: 5, peakSizes: [512, 1024, 2048] }),
    ...hasRoom ? await benchDecodeBandwidth({ ...text, length: { prompt: 200, tokens: 64 }, bufferBytes: 1e9 }) : [],
    ...hasRoom ? [await benchFullDecodeTogether(cache)] : [],
    await benchAnswersTogether({ bundle: await demoBundle(), name: 'demo model', threads, rounds: 5, answers: 8, frames: 16, tokens: 64 }),
    ...hasRoom ? await benchOptimumStyle({ ...text, variants: ['int4'], contexts: [200, 600], tokens: 32 }) : [],
    ...await benchStreams({ counts: [1, 64], frames: 3840, steadyFrames: 160, rounds: 3 }),
    ...await benchStartup({ repeats: 5 }),
    ...await benchSampling({ minutes: 60, repeats: 3 }),
    await benchDemoLatency({ repeats: 20 }),
  ]
}

async function benchFullDecodeTogether(cache: string): Promise<Row> {
  const bundle = await randomBundle(cache, TEXT_ONLY, 'int4')
  return benchDecodeTogether({ bundle, threads, rounds: 3, answers: 8, prompt: 200, chunk: 64, steps: 16 })
}

const { values } = parseArgs({ options: { short: { type: 'boolean', default: false }, cache: { type: 'string' } } })
const temporary = await mkdtemp(join(tmpdir(), 'tinyllava-bench-'))
try {
  const cache = values.cache ?? temporary
  const rows = values.short ? await runShort(temporary) : await runLong(cache, values.cache !== undefined)
  printRows(values.short ? rows.map((row) => ({ ...row, goal: undefined })) : rows)
} finally {
  await rm(temporary, { recursive: true })
}
