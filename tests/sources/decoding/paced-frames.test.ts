import { lastValueFrom, take, toArray } from 'rxjs'
import { expect, test } from 'vitest'

import { createLedger } from '../../../src/ledger.js'
import { type Picture, pacedFrames } from '../../../src/sources/decoding/paced-frames.js'
import type { StreamInfo } from '../../../src/types.js'
import { nextValues } from '../helpers/frames.js'

function streamOf(): StreamInfo {
  const health = () => ({ coverage: 1, warnings: [] })
  return { id: 'test', epoch: 0, kind: 'test', isLive: false, ledger: createLedger(), health }
}

/** Endless pictures that keep a diary. */
async function* pictures(diary: string[]): AsyncGenerator<Picture> {
  try {
    for (let index = 0; ; index++) {
      await Promise.resolve()
      diary.push(`made ${index}`)
      yield { index, ptsMs: index, width: 1, height: 1, data: new Uint8Array(3) }
    }
  } finally {
    diary.push('closed')
  }
}

test('makes the next picture only when it may be handed out', async () => {
  const diary: string[] = []
  const stream = streamOf()
  const frames = await nextValues(pacedFrames(stream, { maxFramesInFlight: 2 }, () => pictures(diary)), 2)
  expect(diary).toEqual(['made 0', 'made 1'])

  frames[0]?.receipt.settle({ kind: 'skipped' })
  await new Promise(setImmediate)
  expect(diary).toEqual(['made 0', 'made 1', 'made 2'])
  expect(stream.ledger.counts().framesInFlight).toBe(2)
})

test('opens at each subscription, and closes and aborts on unsubscribe', async () => {
  const diary: string[] = []
  const signals: AbortSignal[] = []
  const frames = pacedFrames(streamOf(), { maxFramesInFlight: 100 }, (signal) => {
    signals.push(signal)
    return pictures(diary)
  })
  expect(signals).toEqual([])
  for (let subscription = 0; subscription < 2; subscription++) {
    expect(await lastValueFrom(frames.pipe(take(2), toArray()))).toHaveLength(2)
  }
  await new Promise(setImmediate)
  expect(signals.map(({ aborted }) => aborted)).toEqual([true, true])
  expect(diary.filter((entry) => entry === 'closed')).toHaveLength(2)
})

test('gives an error its code', async () => {
  const frames = pacedFrames(streamOf(), { maxFramesInFlight: 1 }, () => {
    throw new TypeError('broken')
  })
  await expect(lastValueFrom(frames)).rejects.toMatchObject({
    code: 'VIDEO_DECODER_FAILED',
    message: 'Reading test: broken',
  })
})
