import { Tensor } from 'onnxruntime-node'
import { describe, expect, test } from 'vitest'
import { KeyValueCache } from '../../../src/model/runtime/key-value-cache.js'

const geometry = { keyValueHeads: [2], headSize: 1 }
const ROOM = 64

/** New rows `[slots, heads, rows, 1]`, each value its slot, head and number: 1.0 0.2 is 12. */
function fresh(slots: number, rows: number, first: number) {
  const values = Array.from({ length: slots * 2 * rows }, (_, at) => {
    const [slot, head, row] = [Math.floor(at / rows / 2), Math.floor(at / rows) % 2, at % rows]
    return slot * 1000 + head * 100 + first + row
  })
  const tensor = new Tensor('float32', Float32Array.from(values), [slots, 2, rows, 1])
  return { 'present.0.key': tensor, 'present.0.value': tensor }
}

const keys = (cache: KeyValueCache, slots: number): Float32Array => cache.feeds(slots)['past_key_values.0.key']?.data as Float32Array
/** The first rows of a slot's head. */
const rowsOf = (cache: KeyValueCache, { slot, head, count }: { slot: number; head: number; count: number }): number[] =>
  Array.from(keys(cache, slot + 1).slice((slot * 2 + head) * cache.room, (slot * 2 + head) * cache.room + count))

describe('a cache', () => {
  test('has room in steps, one at least, and says how much memory it takes', () => {
    expect(new KeyValueCache(geometry, 1, 0).room).toBe(ROOM)
    expect(new KeyValueCache(geometry, 1, ROOM).room).toBe(ROOM)
    expect(new KeyValueCache(geometry, 1, ROOM + 1).room).toBe(2 * ROOM)
    expect(new KeyValueCache(geometry, 3, 1).bytes).toBe(2 * 3 * 2 * ROOM * 4)
  })

  test('writes new rows of each slot and head behind its own last one', () => {
    const cache = new KeyValueCache(geometry, 2, 8)
    cache.append(fresh(1, 2, 0), 1, 2)
    cache.append(fresh(2, 1, 50), 2, 1)
    expect(cache.lengths).toEqual([3, 1])
    expect(rowsOf(cache, { slot: 0, head: 1, count: 4 })).toEqual([100, 101, 150, 0])
    expect(rowsOf(cache, { slot: 1, head: 0, count: 2 })).toEqual([1050, 0])
  })

  test('feeds the decoder with its own memory, not with copies', () => {
    const cache = new KeyValueCache(geometry, 2, 8)
    const before = cache.feeds(1)['past_key_values.0.value']
    cache.append(fresh(1, 1, 5), 1, 1)
    expect((before?.data as Float32Array)[0]).toBe(5)
    expect(before?.dims).toEqual([1, 2, ROOM, 1])
  })

  test('copies the first rows of another, of another room, and empties what was there', () => {
    const [long, short] = [new KeyValueCache(geometry, 1, ROOM + 1), new KeyValueCache(geometry, 2, 8)]
    long.append(fresh(1, 5, 0), 1, 5)
    short.append(fresh(2, 8, 0), 2, 8)
    short.copy(1, { cache: long, slot: 0 }, 3)
    expect(short.lengths).toEqual([8, 3])
    expect(rowsOf(short, { slot: 1, head: 0, count: 4 })).toEqual([0, 1, 2, 0])
    expect(rowsOf(short, { slot: 1, head: 1, count: 4 })).toEqual([100, 101, 102, 0])
    expect(rowsOf(short, { slot: 0, head: 1, count: 2 })).toEqual([100, 101])
  })

  test('leaves nothing behind in a slot that is emptied: hidden values that are no numbers would spoil sums', () => {
    const cache = new KeyValueCache(geometry, 1, 8)
    const broken = new Tensor('float32', new Float32Array(4).fill(NaN), [1, 2, 2, 1])
    cache.append({ 'present.0.key': broken, 'present.0.value': broken }, 1, 2)
    cache.clear(0)
    expect(cache.lengths).toEqual([0])
    expect(keys(cache, 1).every((value) => value === 0)).toBe(true)
  })

  test('has as many heads as each layer', () => {
    const uneven = { keyValueHeads: [1, 3], headSize: 2 }
    const [cache, other] = [new KeyValueCache(uneven, 2, 8), new KeyValueCache(uneven, 1, 8)]
    const layer = (heads: number) => new Tensor('float32', Float32Array.from({ length: heads * 2 }, (_, at) => at + 1), [1, heads, 1, 2])
    other.append({ 'present.0.key': layer(1), 'present.0.value': layer(1), 'present.1.key': layer(3), 'present.1.value': layer(3) }, 1, 1)
    cache.copy(1, { cache: other, slot: 0 }, 1)
    const { 'past_key_values.0.key': first, 'past_key_values.1.value': second } = cache.feeds(2)
    expect([first?.dims, second?.dims]).toEqual([[2, 1, ROOM, 2], [2, 3, ROOM, 2]])
    expect(Array.from((first?.data as Float32Array).slice(ROOM * 2, ROOM * 2 + 3))).toEqual([1, 2, 0])
    // Slot 1, head 2: behind three heads of slot 0 and two of its own.
    expect(Array.from((second?.data as Float32Array).slice(5 * ROOM * 2, 5 * ROOM * 2 + 3))).toEqual([5, 6, 0])
    expect(cache.bytes).toBe(2 * 2 * (1 + 3) * ROOM * 2 * 4)
    cache.clear(1)
    expect((second?.data as Float32Array).every((value) => value === 0)).toBe(true)
  })

  test.each(['present.0.key', 'present.0.value'])('refuses a decoder that gives no %s, or one of another size', (name) => {
    const rows: Record<string, Tensor> = fresh(1, 2, 0)
    const others = Object.fromEntries(Object.entries(rows).filter(([key]) => key !== name))
    const failed = expect.objectContaining({ code: 'MODEL_FAILED', message: expect.stringContaining(name) as unknown }) as Error
    expect(() => { new KeyValueCache(geometry, 1, 8).append(others, 1, 2) }).toThrow(failed)
    const wrong = { ...rows, [name]: new Tensor('float32', new Float32Array(3), [3]) }
    expect(() => { new KeyValueCache(geometry, 1, 8).append(wrong, 1, 2) }).toThrow(failed)
  })
})
