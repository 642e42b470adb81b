import { Tensor } from 'onnxruntime-node'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type BatchMember, DecoderBatch } from '../../../src/model/runtime/decoder-batch.js'
import { KeyValueCache } from '../../../src/model/runtime/key-value-cache.js'

const geometry = { keyValueHeads: [1], headSize: 1 }

const rows = (values: readonly number[]) => {
  const tensor = new Tensor('float32', Float32Array.from(values), [values.length, 1, 1, 1])
  return { 'present.0.key': tensor, 'present.0.value': tensor }
}

/** A sequence of its own that begins with some values. */
function sequence(values: readonly number[]): BatchMember {
  const own = new KeyValueCache(geometry, 1, values.length)
  for (const value of values) own.append(rows([value]), 1, 1)
  return { own }
}

const contents = ({ cache }: DecoderBatch, slot: number): number[] => {
  const data = cache.feeds(slot + 1)['past_key_values.0.key']?.data as Float32Array
  return Array.from(data.slice(slot * cache.room, slot * cache.room + (cache.lengths[slot] ?? 0)))
}

describe('a batch', () => {
  test('seats newcomers behind the others, and fills a gap with the last one', () => {
    const batch = new DecoderBatch(geometry)
    const [a, b, c, d] = [sequence([1]), sequence([2, 2]), sequence([3]), sequence([4])]
    expect(batch.seat([a, b, c])).toEqual([0, 1, 2])
    expect(batch.seat([c, b])).toEqual([0, 1])
    expect([contents(batch, 0), contents(batch, 1)]).toEqual([[3], [2, 2]])
    expect(batch.seat([d, b, c])).toEqual([2, 1, 0])
    expect(contents(batch, 2)).toEqual([4])
  })

  test('grows when a member has no room for one row more, and keeps what all have', () => {
    const batch = new DecoderBatch(geometry)
    const [long, short] = [sequence(new Array<number>(63).fill(6)), sequence([1])]
    batch.seat([short, long])
    expect(batch.cache.room).toBe(64)
    batch.cache.append(rows([2, 7]), 2, 1)
    batch.seat([short, long])
    expect(batch.cache.room).toBe(128)
    expect(contents(batch, 0)).toEqual([1, 2])
    expect(contents(batch, 1).slice(-2)).toEqual([6, 7])
  })

  test('takes a sequence over: its own cache is not kept beside it, and it can not come back', () => {
    const batch = new DecoderBatch(geometry)
    const [a, b] = [sequence([1]), sequence([2])]
    batch.seat([a, b])
    expect([a.own, b.own]).toEqual([undefined, undefined])
    batch.seat([b])
    expect(() => batch.seat([a, b])).toThrow('has no cache to come back with')
  })

  test('is no larger than its members need: a long one that has left slows nobody', () => {
    const batch = new DecoderBatch(geometry)
    const [long, short, other] = [sequence(new Array<number>(600).fill(6)), sequence([1]), sequence([2])]
    batch.seat([short, long, other])
    expect(batch.cache.room).toBeGreaterThan(600)
    batch.seat([short, other])
    expect([batch.cache.room, batch.cache.lengths]).toEqual([64, [1, 1]])
    expect([contents(batch, 0), contents(batch, 1)]).toEqual([[1], [2]])
  })

  test('lets the memory of a busy time go when nobody is left', () => {
    const batch = new DecoderBatch(geometry)
    const members = [sequence(new Array<number>(100).fill(1)), sequence([2]), sequence([3])]
    batch.seat(members)
    const busy = batch.cache.bytes
    batch.clear()
    expect(batch.cache.bytes).toBeLessThan(busy / 5)
    expect(batch.seat([sequence([7])])).toEqual([0])
    expect(contents(batch, 0)).toEqual([7])
  })

  test('whoever comes and goes in whatever order: everybody keeps what is theirs', () => {
    fc.assert(fc.property(fc.array(fc.uniqueArray(fc.integer({ min: 0, max: 5 }), { minLength: 1 }), { maxLength: 12 }), (rounds) => {
      const batch = new DecoderBatch(geometry)
      const alive = new Map<number, { member: BatchMember; values: number[] }>()
      for (const [round, wanted] of rounds.entries()) {
        for (const id of [...alive.keys()]) if (!wanted.includes(id)) alive.delete(id)
        for (const id of wanted) {
          if (!alive.has(id)) alive.set(id, { member: sequence([id * 100 + round]), values: [id * 100 + round] })
        }
        const members = wanted.flatMap((id) => alive.get(id) ?? [])
        const slots = batch.seat(members.map(({ member }) => member))
        expect([...slots].sort()).toEqual([...wanted.keys()])
        const fresh = new Array<number>(slots.length).fill(0)
        slots.forEach((slot, place) => {
          fresh[slot] = round + 0.5
          members[place]?.values.push(round + 0.5)
        })
        batch.cache.append(rows(fresh), slots.length, 1)
        slots.forEach((slot, place) => { expect(contents(batch, slot)).toEqual(members[place]?.values) })
      }
    }))
  })
})
