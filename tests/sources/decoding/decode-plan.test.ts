import { describe, expect, onTestFinished, test, vi } from 'vitest'

import { linspaceIndices } from '../../../src/sampling/linspace.js'
import { decodePlan } from '../../../src/sources/decoding/decode-plan.js'
import { DecoderSlots } from '../../../src/sources/decoding/decoder-slots.js'
import { planDecoding } from '../../../src/sources/decoding/seek-plan.js'
import { VideoHealth } from '../../../src/sources/decoding/video-health.js'
import { readVideoTrack } from '../../../src/sources/decoding/video-track.js'
import { MediaFolder } from '../helpers/media.js'
import { childProcesses } from '../helpers/processes.js'

const media = new MediaFolder()

/** The pictures of a transport stream, each by a run of its own. */
async function planOf(slots: DecoderSlots, { pictures = 4 } = {}) {
  const stopping = new AbortController()
  onTestFinished(() => {
    stopping.abort()
  })
  const { signal } = stopping
  const track = await readVideoTrack(media.kind('transport.ts'), signal)
  const indices = linspaceIndices(125, pictures)
  const jobs = planDecoding(track, indices, { startCost: -Infinity })
  expect(jobs).toHaveLength(pictures)
  const plan = decodePlan(track, jobs, { observer: new VideoHealth(), signal, slots })
  return { stopping, indices, plan }
}

async function indicesOf(plan: AsyncGenerator<{ index: number }>, seen = (): void => undefined): Promise<number[]> {
  const indices: number[] = []
  for await (const { index } of plan) {
    indices.push(index)
    seen()
  }
  return indices
}

describe('decoders of all plans', () => {
  test('never are more than there may be', async () => {
    const slots = new DecoderSlots(2)
    const plans = await Promise.all(Array.from({ length: 5 }, () => planOf(slots)))
    let most = 0
    const read = plans.map(({ plan }) => indicesOf(plan, () => (most = Math.max(most, childProcesses().length))))
    expect(await Promise.all(read)).toEqual(plans.map(({ indices }) => indices))
    expect(most).toBe(2)
    expect(childProcesses()).toEqual([])
    expect([slots.tryTake(), slots.tryTake()]).not.toContain(undefined)
  })

  test('come to an end one by one where there is one place only', async () => {
    const slots = new DecoderSlots(1)
    const plans = await Promise.all([planOf(slots), planOf(slots), planOf(slots)])
    let most = 0
    const read = plans.map(({ plan }) => indicesOf(plan, () => (most = Math.max(most, childProcesses().length))))
    expect(await Promise.all(read)).toEqual(plans.map(({ indices }) => indices))
    expect(most).toBe(1)
  })

  test('are not held back by one that nobody reads', async () => {
    const slots = new DecoderSlots(1)
    const [slow, other] = [await planOf(slots), await planOf(slots)]
    const first = await slow.plan.next()
    expect(await indicesOf(other.plan)).toEqual(other.indices)
    const rest = await indicesOf(slow.plan)
    expect([(first.value as { index: number }).index, ...rest]).toEqual(slow.indices)
  })

  test('are not held back by one that works ahead and that nobody reads', async () => {
    const slots = new DecoderSlots(2)
    const [slow, ...others] = await Promise.all([planOf(slots), planOf(slots), planOf(slots)])
    await slow.plan.next()
    const read = others.map(({ plan }) => indicesOf(plan))
    expect(await Promise.all(read)).toEqual(others.map(({ indices }) => indices))
    expect(await indicesOf(slow.plan)).toEqual(slow.indices.slice(1))
  })

  test('give their place up where they can’t be started', async () => {
    const slots = new DecoderSlots(1)
    const { plan } = await planOf(slots)
    vi.stubEnv('FFMPEG_PATH', '/nowhere/ffmpeg')
    onTestFinished(() => {
      vi.unstubAllEnvs()
    })
    await expect(plan.next()).rejects.toMatchObject({ code: 'FFMPEG_NOT_FOUND' })
    expect(slots.tryTake()).toBeDefined()
  })

  test('leave the queue, and no process, where their stream is stopped', async () => {
    const slots = new DecoderSlots(1)
    const [working, waiting] = [await planOf(slots), await planOf(slots)]
    const held = await slots.take(working.stopping.signal)
    const pulled = [working.plan.next(), waiting.plan.next()]
    waiting.stopping.abort()
    await expect(pulled[1]).rejects.toMatchObject({ code: 'ABORTED' })
    held.release()
    expect(await pulled[0]).toMatchObject({ value: { index: 0 } })
    working.stopping.abort()
    await working.plan.return(undefined)
    await expect.poll(() => childProcesses(), { timeout: 60_000 }).toEqual([])
    expect(slots.tryTake()).toBeDefined()
  })
})
