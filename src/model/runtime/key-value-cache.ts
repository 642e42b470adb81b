import { Tensor } from 'onnxruntime-node'

import { StreamError } from '../../errors.js'
import { GRAPH_FILES, type Manifest } from '../manifest.js'
import type { Tensors } from './session.js'

/** Rows that a cache grows by: fewer copies, and at most this much read in vain. */
const ROOM_STEP = 64

/** What a cache's size follows from. */
export type CacheGeometry = Pick<Manifest['languageModel'], 'layers' | 'keyValueHeads' | 'headSize'>

/** One sequence's place in a cache. */
export interface CacheSlot {
  readonly cache: KeyValueCache
  readonly slot: number
}

/**
 * Keys and values of some sequences side by side, each in a slot of its own, in memory that stays where it
 * is: the decoder reads it there, and only new rows are written to it.
 *
 * ```
 * of each layer, keys and values   [slots, keyValueHeads, room, headSize]
 * slot 0   rows 0 … lengths[0] - 1 are tokens, the rest of the room is zero
 * slot 1   rows 0 … lengths[1] - 1
 * ```
 */
export class KeyValueCache {
  /** Tokens in each slot. */
  readonly lengths: number[]
  /** Rows each slot has room for. */
  readonly room: number
  readonly #geometry: CacheGeometry
  readonly #arrays: ReadonlyMap<string, Float32Array>

  /** @param room Rows that each slot must have room for; rounded up. */
  constructor(geometry: CacheGeometry, slots: number, room: number) {
    this.#geometry = geometry
    // One step at least: a product over no rows at all is asking for trouble.
    this.room = Math.max(1, Math.ceil(room / ROOM_STEP)) * ROOM_STEP
    this.lengths = new Array<number>(slots).fill(0)
    const size = slots * this.#slotSize
    this.#arrays = new Map(cacheNames(geometry.layers).map((name) => [name, new Float32Array(size)]))
  }

  /** Bytes of all slots. */
  get bytes(): number {
    return this.#arrays.size * this.lengths.length * this.#slotSize * Float32Array.BYTES_PER_ELEMENT
  }

  /** The first `slots` slots as inputs of the decoder. Nothing is copied. */
  feeds(slots: number): Tensors {
    const { keyValueHeads, headSize } = this.#geometry
    const shape = [slots, keyValueHeads, this.room, headSize]
    const entries = [...this.#arrays].map(([name, data]) => {
      return [`past_key_values.${name}`, new Tensor('float32', data.subarray(0, slots * this.#slotSize), shape)] as const
    })
    return Object.fromEntries(entries)
  }

  /**
   * Writes the decoder's new rows behind those of the first `slots` slots.
   *
   * @param count Rows of each slot.
   * @throws {StreamError} `MODEL_FAILED` where the decoder gave none, or of another size.
   */
  append(outputs: Tensors, slots: number, count: number): void {
    const { keyValueHeads, headSize } = this.#geometry
    const rowsSize = count * headSize
    for (const [name, data] of this.#arrays) {
      const fresh = freshRows(outputs, `present.${name}`, slots * keyValueHeads * rowsSize)
      for (let head = 0; head < slots * keyValueHeads; head += 1) {
        const at = this.lengths[Math.floor(head / keyValueHeads)] ?? 0
        data.set(fresh.subarray(head * rowsSize, (head + 1) * rowsSize), (head * this.room + at) * headSize)
      }
    }
    for (let slot = 0; slot < slots; slot += 1) this.lengths[slot] = (this.lengths[slot] ?? 0) + count
  }

  /** Makes a slot a copy of another's first `length` rows. */
  copy(slot: number, from: CacheSlot, length: number): void {
    this.clear(slot)
    const { keyValueHeads, headSize } = this.#geometry
    for (const [name, data] of this.#arrays) {
      const source = from.cache.#arrays.get(name) ?? data
      for (let head = 0; head < keyValueHeads; head += 1) {
        const start = (from.slot * keyValueHeads + head) * from.cache.room * headSize
        data.set(source.subarray(start, start + length * headSize), (slot * keyValueHeads + head) * this.room * headSize)
      }
    }
    this.lengths[slot] = length
  }

  /**
   * Empties a slot. Its rows become zero: hidden rows count nothing times their value, which is
   * something else than nothing where a failed sequence left values that are not numbers.
   */
  clear(slot: number): void {
    for (const data of this.#arrays.values()) data.fill(0, slot * this.#slotSize, (slot + 1) * this.#slotSize)
    this.lengths[slot] = 0
  }

  get #slotSize(): number {
    return this.#geometry.keyValueHeads * this.room * this.#geometry.headSize
  }
}

function cacheNames(layers: number): readonly string[] {
  return Array.from({ length: layers }, (_, layer) => [`${layer}.key`, `${layer}.value`]).flat()
}

function freshRows(outputs: Tensors, name: string, size: number): Float32Array {
  const data: unknown = outputs[name]?.data
  if (data instanceof Float32Array && data.length === size) return data
  const found = data instanceof Float32Array ? `${data.length} values` : 'none'
  throw new StreamError(
    'MODEL_FAILED',
    `Graph \`${GRAPH_FILES.appendingDecoder}\` gave \`${name}\` as ${found} instead of ${size} float32 values.`,
  )
}
