import { describe, expect, test } from 'vitest'

import { createLedger } from '../../../src/ledger.js'
import { type ArrivedPicture, LiveEpochs, type LiveStreamSettings } from '../../../src/sources/live/epochs.js'
import type { SourceNotice } from '../../../src/sources/source.js'

const START = 1_800_000_000_000

function setUp(changes: Partial<LiveStreamSettings> = {}) {
  const notices: SourceNotice[] = []
  const epochs = new LiveEpochs({
    ...{ id: 'door', kind: 'rtsp', isLive: true, ledger: createLedger(), sampling: { kind: 'all' } },
    frozenAfterMs: Infinity,
    notify: (notice) => notices.push(notice),
    ...changes,
  })
  epochs.connect()
  const take = (mediaMs: number, arrivedMs = START + mediaMs, data = Uint8Array.of(mediaMs % 251, 0, 0)) =>
    epochs.take({ mediaMs, arrivedMs, width: 1, height: 1, data } satisfies ArrivedPicture)
  return { epochs, take, notices }
}

const coded = (code: string): Error => expect.objectContaining({ code, canRetry: true }) as Error

describe('LiveEpochs', () => {
  test('numbers and times the pictures of each connection from 0, in an epoch named by its first picture', () => {
    const { epochs, take, notices } = setUp()
    const [first, second] = [take(5000, START), take(5040, START + 40)]
    expect(first).toMatchObject({ index: 0, ptsMs: 0, capturedAt: new Date(START).toISOString(), stream: { epoch: START } })
    expect(second).toMatchObject({ index: 1, ptsMs: 40 })
    expect(second?.stream).toBe(first?.stream)

    epochs.connect()
    const third = take(123.456, START + 9000)
    expect(third).toMatchObject({ index: 0, ptsMs: 0, stream: { id: 'door', epoch: START + 9000 } })
    expect(third?.stream.ledger).toBe(first?.stream.ledger)
    expect(notices.map(({ kind, fields }) => [kind, fields.epoch])).toEqual([['epoch', START], ['epoch', START + 9000]])
  })

  test('goes on over a gap that is to be bridged, and says what is missing', () => {
    const { epochs, take, notices } = setUp({ sampling: { kind: 'fps', fps: 1 }, bridgeGapsMs: 5000 })
    const first = take(70_000, START)
    take(71_000, START + 1000)
    epochs.connect()
    const after = take(0, START + 5000)
    expect(after).toMatchObject({ index: 2, ptsMs: 5000, capturedAt: new Date(START + 5000).toISOString() })
    expect(after?.stream).toBe(first?.stream)
    expect(take(1000, START + 6000)).toMatchObject({ index: 3, ptsMs: 6000 })
    expect(after?.stream.health({ startMs: 0, endMs: 6000 }).coverage).toBe(0.5714)

    epochs.connect()
    expect(take(0, START + 11_001)).toMatchObject({ index: 0, ptsMs: 0, stream: { epoch: START + 11_001 } })
    expect(notices.map(({ kind }) => kind)).toEqual(['epoch', 'epoch'])
  })

  test('misses no keyframe: nobody knows how many there are to be', () => {
    const { take } = setUp({ sampling: { kind: 'fps', fps: 2, keyframesOnly: true } })
    const pictures = [0, 2000, 9000].map((mediaMs) => take(mediaMs))
    expect(pictures.map((picture) => picture?.ptsMs)).toEqual([0, 2000, 9000])
    expect(pictures.at(-1)?.stream.health({ startMs: 0, endMs: 9000 })).toEqual({ coverage: 1, warnings: [] })
  })

  test.each([
    ['in the same millisecond', START],
    ['after a clock that was set back', START - 3_600_000],
  ])('never names two epochs alike: %s', (_, arrivedMs) => {
    const { epochs, take } = setUp()
    take(0, START)
    epochs.connect()
    expect(take(0, arrivedMs)?.stream.epoch).toBe(START + 1)
  })

  test('keeps what the rule keeps, and counts the others', () => {
    const { take, epochs } = setUp({ sampling: { kind: 'fps', fps: 1 } })
    epochs.announceFps(25)
    const kept = [0, 40, 960, 1000, 1040, 2000].map((mediaMs) => take(mediaMs)?.index)
    expect(kept).toEqual([0, undefined, undefined, 3, undefined, 5])
    expect(epochs.info.thinnedEstimate?.()).toBe(51 - 6)
  })

  test('says which wanted frames never came, also for the stream as a whole', () => {
    const { take, epochs } = setUp({ sampling: { kind: 'fps', fps: 1 } })
    expect(epochs.info.health()).toEqual({ coverage: 1, warnings: [] })
    take(0)
    const { stream } = take(4000, START + 4000) ?? {}
    expect(stream?.health({ startMs: 0, endMs: 4000 }).coverage).toBe(0.4)
    expect(epochs.info.health().coverage).toBe(0.4)
  })

  test('counts a stall by the rate that the camera announces where every frame is wanted', () => {
    const { take, epochs } = setUp()
    epochs.announceFps(10)
    const { stream } = take(0) ?? {}
    take(2000, START + 2000)
    expect(stream?.health().warnings).toEqual(['19 of 21 wanted frames never came from the camera.'])
  })

  test.each([
    ['back', 1000, 960, START + 1040],
    ['ahead', 1000, 3_601_000, START + 1040],
  ])('asks for a new connection where time jumps %s', (_, beforeMs, afterMs, arrivedMs) => {
    const { take } = setUp()
    take(0)
    take(beforeMs)
    expect(() => take(afterMs, arrivedMs)).toThrow(coded('RTSP_CHANGED'))
  })

  test('takes a stall and the burst after it for what they are', () => {
    const { take } = setUp()
    take(0, START)
    take(40, START + 60_000)
    expect(take(9000, START + 60_001)?.ptsMs).toBe(9000)
    expect(take(60_000, START + 111_001)?.ptsMs).toBe(60_000)
  })

  test('waits as long as a slow rule wants', () => {
    const { take } = setUp({ sampling: { kind: 'fps', fps: 0.01 } })
    take(0, START)
    expect(take(100_000, START + 1)?.ptsMs).toBe(100_000)
  })

  test('asks for a new connection once where the picture is frozen', () => {
    const still = Uint8Array.of(1, 2, 3)
    const { take, epochs, notices } = setUp({ frozenAfterMs: 1000 })
    take(0, START, still)
    expect(() => take(1000, START + 1000, still)).toThrow(coded('RTSP_FROZEN'))
    expect(notices.at(-1)).toMatchObject({ kind: 'frozen', fields: { streamId: 'door', forMs: 1000 } })
    epochs.connect()
    take(0, START + 2000, still)
    expect(take(5000, START + 7000, still)).toBeDefined()
  })

  test('carries the questions of the stream', () => {
    expect(setUp({ questions: ['Who?'] }).epochs.info).toMatchObject({ questions: ['Who?'], epoch: 0, isLive: true })
  })
})
