import { tap } from 'rxjs'
import { expect, test } from 'vitest'

import { answer } from '../../src/operators/answer.js'
import { encode } from '../../src/operators/encode.js'
import { slidingWindow } from '../../src/operators/sliding-window.js'
import { definePipeline } from '../../src/service/define-pipeline.js'
import { start } from '../../src/service/start.js'
import { synthetic } from '../../src/sources/synthetic.js'
import type { StreamInfo } from '../../src/types.js'
import { createInstantModel, settled } from '../operators/fakes.js'

/** Runs a fast source, a window a frame, two questions a window, and either a slow model or a slow sink. */
async function mostInFlight(slow: 'model' | 'sink') {
  const instant = createInstantModel()
  const dawdle = async (): Promise<void> => {
    for (let turn = 0; turn < 10; turn += 1) await settled()
  }
  const most = { frames: 0, questions: 0, deliveries: 0 }
  const watch = <T>({ ledger }: StreamInfo) =>
    tap<T>(() => {
      const { framesInFlight, questionsInFlight, deliveriesInFlight } = ledger.counts()
      most.frames = Math.max(most.frames, framesInFlight)
      most.questions = Math.max(most.questions, questionsInFlight)
      most.deliveries = Math.max(most.deliveries, deliveriesInFlight)
    })
  const run = start(
    definePipeline({
      name: 'test',
      model: {
        ...instant,
        generate: async (...call) => {
          if (slow === 'model') await dawdle()
          return instant.generate(...call)
        },
      },
      sources: [synthetic({ frames: 200, maxFramesInFlight: 6 })],
      stream: (frames, { model, stream }) =>
        frames.pipe(
          watch(stream),
          encode(model, { batch: 1, questionsAhead: 3 }),
          watch(stream),
          slidingWindow({ frames: 4, every: 1 }),
          watch(stream),
          answer(model, ['First?', 'Second?']),
          watch(stream),
        ),
      sinks: [{ kind: 'slow', write: () => (slow === 'sink' ? dawdle() : Promise.resolve()) }],
    }),
  )
  let count = 0
  run.answers$.subscribe(() => (count += 1))
  await run.done
  // 197 windows, two questions each: nothing was lost by being bounded.
  expect(count).toBe(394)
  return most
}

test('a slow language model holds encode back, and encode the source', async () => {
  const most = await mostInFlight('model')
  // Two may be open when a frame is let through, which adds the two of its window.
  expect(most.questions).toBe(4)
  expect(most.frames).toBe(6)
})

test('so does a slow sink', async () => {
  const most = await mostInFlight('sink')
  // Two on their way and two questions open when a frame is let through, and the two of its window.
  expect(most.deliveries).toBe(6)
  expect(most.frames).toBe(6)
})
