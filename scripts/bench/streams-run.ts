/**
 * Runs streams of 1 frame a second through the demo model as fast as it can, and prints what it took as JSON.
 *
 * ```sh
 * npx jiti scripts/bench/streams-run.ts --streams 64 --frames 20
 * ```
 *
 * What counts is each stream's steady state: that many frames after those of its first window, and an answer each 4 of
 * them. The same streams up to their first answers are run first by themselves, and what they take is taken off.
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

const WINDOW = 16
const EVERY = 4

const { values } = parseArgs({
  options: {
    streams: { type: 'string', default: '1' },
    frames: { type: 'string', default: '20' },
    threads: { type: 'string', default: '1' },
  },
})

const model = await loadModel(undefined, { threads: Number(values.threads), device: 'cpu' })
// Everything is loaded and has run once before anything counts.
await runStreams(model, { streams: 1, frames: WINDOW, seed: 0 })

const [streams, frames] = [Number(values.streams), Number(values.frames)]
const beginning = await measured(() => runStreams(model, { streams, frames: WINDOW, seed: 1 }))
const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
delay.enable()
const whole = await measured(() => runStreams(model, { streams, frames: WINDOW + frames, seed: 1 + streams }))
delay.disable()
await model.dispose()

const cost: StreamsCost = {
  mediaSeconds: streams * frames,
  cpuSeconds: whole.cpuSeconds - beginning.cpuSeconds,
  answers: whole.answers - beginning.answers,
  peakBytes: peakMemoryBytes(),
  loopDelayMs: Math.max(0, delay.percentile(99) / 1e6 - RESOLUTION_MS),
}
process.stdout.write(`${JSON.stringify(cost)}\n`)

async function measured(run: () => Promise<number>): Promise<{ answers: number; cpuSeconds: number }> {
  const begun = process.cpuUsage()
  const answers = await run()
  const { user, system } = process.cpuUsage(begun)
  return { answers, cpuSeconds: (user + system) / 1e6 }
}

/**
 * Windows of 16 frames each 4 seconds.
 *
 * @param run.frames Of each stream.
 * @param run.seed Of the first stream's frames, and one more for each next: nothing of an earlier run can be used again.
 * @returns The number of answers.
 */
async function runStreams(loaded: LoadedModel, run: { streams: number; frames: number; seed: number }): Promise<number> {
  const running = start(definePipeline({
    name: 'bench',
    model: loaded,
    sources: Array.from({ length: run.streams }, (_, index) =>
      synthetic({ id: `camera-${index}`, frames: run.frames, fps: 1, width: 320, height: 240, seed: run.seed + index })),
    stream: (source, { model: bound }) =>
      source.pipe(encode(bound), slidingWindow({ frames: WINDOW, every: EVERY }), answer(bound, 'How many shapes are there?')),
  }))
  let answered = 0
  running.answers$.subscribe((result) => {
    if (result.kind === 'error') throw new Error(result.error.message)
    answered += 1
  })
  await running.done
  return answered
}
