/**
 * Runs streams of 1 frame a second through the demo model as fast as it can, and prints what it took as JSON.
 *
 * ```sh
 * npx jiti scripts/bench/streams-run.ts --streams 64 --frames 40
 * ```
 *
 * The frames are synthetic and their time is media time: no camera is waited for, and no video is decoded.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { parseArgs } from 'node:util'

import { answer, definePipeline, encode, loadModel, slidingWindow, start, synthetic } from 'tinyllava-stream'
import type { LoadedModel } from 'tinyllava-stream'

import { peakMemoryBytes } from './memory.js'
import type { StreamsCost } from './streams-cost.js'

// The timer that looks for delays; what it takes itself is no delay.
const RESOLUTION_MS = 1

const { values } = parseArgs({
  options: {
    streams: { type: 'string', default: '1' },
    frames: { type: 'string', default: '40' },
    threads: { type: 'string', default: '1' },
  },
})

const model = await loadModel(undefined, { threads: Number(values.threads), device: 'cpu' })
// Everything is loaded and has run once before anything counts.
await runStreams(model, 1, 16)

const [streams, frames] = [Number(values.streams), Number(values.frames)]
const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
delay.enable()
const begun = process.cpuUsage()
const answers = await runStreams(model, streams, frames)
const { user, system } = process.cpuUsage(begun)
delay.disable()
await model.dispose()

const cost: StreamsCost = {
  mediaSeconds: streams * frames,
  cpuSeconds: (user + system) / 1e6,
  answers,
  peakBytes: peakMemoryBytes(),
  loopDelayMs: Math.max(0, delay.percentile(99) / 1e6 - RESOLUTION_MS),
}
process.stdout.write(`${JSON.stringify(cost)}\n`)

/** Windows of 16 frames each 4 seconds. @returns The number of answers. */
async function runStreams(loaded: LoadedModel, count: number, framesEach: number): Promise<number> {
  const run = start(definePipeline({
    name: 'bench',
    model: loaded,
    sources: Array.from({ length: count }, (_, index) =>
      synthetic({ id: `camera-${index}`, frames: framesEach, fps: 1, width: 320, height: 240, seed: index + 1 })),
    stream: (source, { model: bound }) =>
      source.pipe(encode(bound), slidingWindow({ frames: 16, every: 4 }), answer(bound, 'How many shapes are there?')),
  }))
  let answered = 0
  run.answers$.subscribe((result) => {
    if (result.kind === 'error') throw new Error(result.error.message)
    answered += 1
  })
  await run.done
  return answered
}
