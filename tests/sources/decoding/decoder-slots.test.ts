import { availableParallelism } from 'node:os'

import { describe, expect, test } from 'vitest'

import { type DecoderSlot, DecoderSlots, mostDecoders } from '../../../src/sources/decoding/decoder-slots.js'

const { signal } = new AbortController()

/** Lets everything run that can run now, places that rest are taken away among it. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate)
}

/** Takes places and notes who has one, in order. */
function queueOf(slots: DecoderSlots) {
  const begun: string[] = []
  const failed: unknown[] = []
  const held = new Map<string, DecoderSlot>()
  const take = (name: string, options: { signal?: AbortSignal } = {}): void => {
    slots.take(options.signal ?? signal).then(
      (slot) => {
        begun.push(name)
        held.set(name, slot)
      },
      (error: unknown) => failed.push(error),
    )
  }
  const slotOf = (name: string): DecoderSlot => {
    const slot = held.get(name)
    if (slot === undefined) throw new Error(`${name} has no place.`)
    return slot
  }
  return { begun, failed, take, slotOf }
}

describe('places for decoders', () => {
  test('are as many as there are to be, and then go to those that wait, in order', async () => {
    const { begun, take, slotOf } = queueOf(new DecoderSlots(2))
    for (const name of ['a', 'b', 'c', 'd']) take(name)
    await turns()
    expect(begun).toEqual(['a', 'b'])
    slotOf('b').release()
    await turns()
    expect(begun).toEqual(['a', 'b', 'c'])
    slotOf('b').release()
    await turns()
    expect(begun).toEqual(['a', 'b', 'c'])
    slotOf('a').release()
    slotOf('c').release()
    await turns()
    expect(begun).toEqual(['a', 'b', 'c', 'd'])
  })

  test('are waited for no more after an abort', async () => {
    const slots = new DecoderSlots(1)
    const { begun, failed, take, slotOf } = queueOf(slots)
    const stopping = new AbortController()
    take('a')
    take('b', { signal: stopping.signal })
    take('c')
    stopping.abort()
    take('d', { signal: stopping.signal })
    await turns()
    expect(failed).toMatchObject([{ code: 'ABORTED' }, { code: 'ABORTED' }])
    slotOf('a').release()
    await turns()
    expect(begun).toEqual(['a', 'c'])
    slotOf('c').release()
    expect(slots.tryTake()).toBeDefined()
  })

  test('are not taken ahead where there is none, or somebody waits', async () => {
    const slots = new DecoderSlots(2)
    const { begun, take, slotOf } = queueOf(slots)
    take('a')
    await turns()
    const ahead = slots.tryTake()
    expect(ahead).toBeDefined()
    expect(slots.tryTake()).toBeUndefined()
    take('b')
    slotOf('a').release()
    expect(slots.tryTake()).toBeUndefined()
    await turns()
    expect(begun).toEqual(['a', 'b'])
    ahead?.release()
    expect(slots.tryTake()).toBeDefined()
  })

  test('are lent by those that rest to those that wait, whoever came first', async () => {
    const { begun, take, slotOf } = queueOf(new DecoderSlots(1))
    take('a')
    await turns()
    slotOf('a').rest()
    await turns()
    take('b')
    await turns()
    expect(begun).toEqual(['a', 'b'])

    let isAwake = false
    const waking = slotOf('a').wake(signal).then(() => (isAwake = true))
    await turns()
    expect(isAwake).toBe(false)
    slotOf('b').rest()
    await waking
    // Its own place was taken away meanwhile: there is nothing to give up twice.
    slotOf('b').release()
    take('c')
    await turns()
    expect(begun).toEqual(['a', 'b'])
  })

  test('stay with a decoder whose next picture is asked for at once', async () => {
    const { begun, take, slotOf } = queueOf(new DecoderSlots(1))
    take('a')
    take('b')
    await turns()
    slotOf('a').rest()
    await slotOf('a').wake(signal)
    await turns()
    expect(begun).toEqual(['a'])
  })

  test('go to others after 64 pictures, where others wait', async () => {
    const { begun, take, slotOf } = queueOf(new DecoderSlots(1))
    take('a')
    await turns()
    for (let picture = 1; picture < 100; picture++) await slotOf('a').wake(signal)
    take('b')
    await turns()
    expect(begun).toEqual(['a'])
    const waking = slotOf('a').wake(signal)
    await turns()
    expect(begun).toEqual(['a', 'b'])
    slotOf('b').release()
    await waking
    take('c')
    for (let picture = 1; picture < 64; picture++) await slotOf('a').wake(signal)
    await turns()
    expect(begun).toEqual(['a', 'b'])
  })
})

describe('mostDecoders', () => {
  test('is one for each core unless told otherwise', () => {
    expect(mostDecoders({})).toBe(availableParallelism())
    expect(mostDecoders({ TINYLLAVA_STREAM_DECODERS: '' })).toBe(availableParallelism())
    expect(mostDecoders({ TINYLLAVA_STREAM_DECODERS: '3' })).toBe(3)
  })

  test.each(['0', '-1', '2.5', 'many', ' 2', '1e3'])('refuses %j', (named) => {
    const message = expect.stringContaining('TINYLLAVA_STREAM_DECODERS') as string
    const refused = expect.objectContaining({ code: 'SETTING_INVALID', message }) as Error
    expect(() => mostDecoders({ TINYLLAVA_STREAM_DECODERS: named })).toThrow(refused)
  })
})
