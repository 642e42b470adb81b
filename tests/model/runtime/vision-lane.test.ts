import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { VisionLane, type VisionSetup } from '../../../src/model/runtime/vision-lane.js'
import type { FrameFeatures } from '../../../src/types.js'
import { drain, quietHooks } from './fake-model.js'

const picture = (value: number) => ({ data: Uint8Array.of(value), width: 1, height: 1 })
const pictures = (...values: number[]) => ({ kind: 'encode', pictures: values.map(picture) }) as const
const clip = { kind: 'connect', frames: [] } as const
const visual = { data: new Float32Array(1), tokens: 1, width: 1, connectMs: 0 }

/** A lane whose features are the picture's value; 13 can't be encoded. */
function lane(changes: Partial<VisionSetup> = {}) {
  const runs: (readonly number[] | string)[] = []
  const setup: VisionSetup = {
    encode: (batch) => {
      const values = batch.map(({ data }) => data[0] ?? NaN)
      runs.push(values)
      if (values.includes(13)) return Promise.reject(new Error('13 can not be encoded'))
      return Promise.resolve(values.map((value) => ({ data: Float32Array.of(value), tokens: 1, width: 1 })))
    },
    // eslint-disable-next-line @typescript-eslint/require-await -- a clip of two runs
    async *connect() {
      runs.push('first run')
      yield
      runs.push('second run')
      return { visual, condensed: [] }
    },
    maxBatch: 1,
    maxWaitMs: 5,
    onReady: () => runs.push('ready'),
    ...changes,
  }
  return { runs, vision: new VisionLane(setup) }
}

const valuesOf = async (features: Promise<readonly FrameFeatures[]>) => (await features).map(({ data }) => data[0])

describe('one picture a run', () => {
  test('encodes in the order they came, at once', async () => {
    const { vision, runs } = lane()
    const results = [vision.encode(pictures(1, 2), quietHooks()), vision.encode(pictures(3), quietHooks())]
    await drain(vision)
    expect(await Promise.all(results.map(valuesOf))).toEqual([[1, 2], [3]])
    expect(runs).toEqual([[1], [2], [3]])
  })

  test('a clip goes first, run by run', async () => {
    const { vision, runs } = lane()
    void vision.encode(pictures(1), quietHooks())
    const connected = vision.connect(clip, quietHooks())
    await vision.step()
    expect(runs).toEqual(['first run'])
    await drain(vision)
    expect(await connected).toMatchObject({ visual })
    expect(runs).toEqual(['first run', 'second run', [1]])
  })

  test('says once that a job begins, and of one that waits not before', async () => {
    const { vision } = lane()
    const begun: string[] = []
    for (const name of ['a', 'b', 'c']) void vision.encode(pictures(1, 2), quietHooks({ onBegin: () => begun.push(name) }))
    await vision.step()
    expect(begun).toEqual(['a'])
    void vision.connect(clip, quietHooks({ onBegin: () => begun.push('clip') }))
    await drain(vision)
    expect(begun).toEqual(['a', 'clip', 'b', 'c'])
  })

  test('a cancelled job ends between two pictures, or two runs, and the next goes on', async () => {
    const { vision, runs } = lane()
    const abort = new AbortController()
    const hooks = quietHooks({ signal: abort.signal })
    const cancelled = [vision.encode(pictures(1, 2), hooks), vision.connect(clip, hooks)]
    const kept = vision.encode(pictures(3), quietHooks())
    await vision.step()
    abort.abort()
    await drain(vision)
    for (const job of cancelled) await expect(job).rejects.toMatchObject({ code: 'ABORTED' })
    expect(await valuesOf(kept)).toEqual([3])
    expect(runs).toEqual(['first run', [3]])
  })
})

describe('several pictures a run', () => {
  beforeEach(() => { vi.useFakeTimers() })
  afterEach(() => { vi.useRealTimers() })

  test('shares runs between callers, up to the limit', async () => {
    const { vision, runs } = lane({ maxBatch: 3 })
    const results = [vision.encode(pictures(1, 2), quietHooks()), vision.encode(pictures(3, 4), quietHooks())]
    vi.advanceTimersByTime(5)
    await drain(vision)
    expect(await Promise.all(results.map(valuesOf))).toEqual([[1, 2], [3, 4]])
    expect(runs).toEqual(['ready', [1, 2, 3], [4]])
  })

  test('waits for others, no longer than it may', async () => {
    const { vision, runs } = lane({ maxBatch: 3 })
    void vision.encode(pictures(1), quietHooks())
    expect(vision.hasWork).toBe(false)
    vi.advanceTimersByTime(4)
    void vision.encode(pictures(2), quietHooks())
    expect(vision.hasWork).toBe(false)
    vi.advanceTimersByTime(1)
    expect(vision.hasWork).toBe(true)
    await drain(vision)
    expect(runs).toEqual(['ready', [1, 2]])
    void vision.encode(pictures(3), quietHooks())
    expect(vision.hasWork).toBe(false)
  })

  test('does not wait where the run is full, or where it may not', () => {
    const full = lane({ maxBatch: 2 }).vision
    void full.encode(pictures(1, 2), quietHooks())
    expect(full.hasWork).toBe(true)
    const hasty = lane({ maxBatch: 2, maxWaitMs: 0 }).vision
    void hasty.encode(pictures(1), quietHooks())
    expect(hasty.hasWork).toBe(true)
  })

  test('of a job that has failed nothing more is run', async () => {
    const { vision, runs } = lane({ maxBatch: 3, maxWaitMs: 0 })
    const bad = vision.encode(pictures(13, 2, 3), quietHooks())
    await drain(vision)
    await expect(bad).rejects.toThrow('13')
    expect(runs).toEqual([[13, 2, 3], [13]])
  })

  test('closing waits for nobody', () => {
    const { vision, runs } = lane({ maxBatch: 3 })
    void vision.encode(pictures(1), quietHooks())
    vision.close()
    vi.advanceTimersByTime(1000)
    expect(runs).toEqual([])
  })

  test('a picture that fails takes nobody along: the batch is run again one by one', async () => {
    const { vision, runs } = lane({ maxBatch: 3, maxWaitMs: 0 })
    const [good, bad] = [vision.encode(pictures(1, 2), quietHooks()), vision.encode(pictures(13), quietHooks())]
    await drain(vision)
    expect(await valuesOf(good)).toEqual([1, 2])
    await expect(bad).rejects.toThrow('13')
    expect(runs).toEqual([[1, 2, 13], [1], [2], [13]])
  })
})
