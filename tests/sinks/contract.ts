import { expect, test } from 'vitest'

import { ENVELOPE_SCHEMA, resultId } from '../../src/envelope.js'
import type { Answer } from '../../src/envelope.js'
import type { Sink } from '../../src/sinks/sink.js'

/** A sink under test, and what has arrived where it writes to. */
export interface SinkUnderTest {
  readonly sink: Sink
  /** The answers' texts that can be found at the sink's end, in order. */
  readonly delivered: () => Promise<readonly string[]>
  /** Makes every further `write` fail. */
  readonly breakIt: () => Promise<void>
}

/** What every sink must do; each sink's test runs it. */
export function runSinkContract(setUp: () => Promise<SinkUnderTest>): void {
  test('nothing is opened before `open`', async () => {
    const { delivered } = await setUp()
    expect(await delivered()).toEqual([])
  })

  test('a result is there when `write` resolves, in order', async () => {
    const { sink, delivered } = await setUp()
    await sink.open?.()
    for (const text of ['one', 'two', 'three']) {
      await sink.write(createAnswer(text))
      expect((await delivered()).at(-1)).toBe(text)
    }
    await sink.close?.()
    expect(await delivered()).toEqual(['one', 'two', 'three'])
  })

  test('a failed write rejects with SINK_FAILED and its cause, and the sink can still be closed', async () => {
    const { sink, breakIt } = await setUp()
    await sink.open?.()
    await breakIt()
    await expect(sink.write(createAnswer('lost'))).rejects.toMatchObject({
      code: 'SINK_FAILED',
      canRetry: true,
      cause: expect.any(Error) as unknown,
    })
    await sink.close?.().catch(() => undefined)
  })

  test('`close` works without a write, and without `open`', async () => {
    const [opened, untouched] = [await setUp(), await setUp()]
    await opened.sink.open?.()
    await opened.sink.close?.()
    await untouched.sink.close?.()
    expect(await opened.delivered()).toEqual([])
  })
}

/** A valid answer with this text. */
export function createAnswer(text: string, changes: Partial<Answer> = {}): Answer {
  const generation = { maxNewTokens: 512, temperature: 0, topP: 1, seed: 0 }
  const identity = { streamId: 'clip', epoch: 0, framesPtsMs: [0, 500], question: 'What?', template: 'qwen2_base' }
  return {
    kind: 'answer',
    schema: ENVELOPE_SCHEMA,
    id: resultId({ ...identity, generation, bundleDigest: 'd'.repeat(64) }),
    pipeline: 'test',
    source: { id: 'clip', kind: 'file', epoch: 0 },
    clip: {
      startMs: 0,
      endMs: 500,
      frames: [
        { index: 0, ptsMs: 0 },
        { index: 12, ptsMs: 500 },
      ],
      capturedAt: null,
      coverage: 1,
    },
    question: 'What?',
    answer: text,
    finishReason: 'stop',
    model: { name: 'fake', digest: 'd'.repeat(64), precision: 'fp32', device: 'cpu' },
    tokens: { visual: 4, prompt: 9, answer: 2 },
    timingsMs: { encode: 1, connect: 2, prefill: 3, decode: 4 },
    answerAfterLastFrameMs: 5,
    degraded: [],
    ...changes,
  }
}
