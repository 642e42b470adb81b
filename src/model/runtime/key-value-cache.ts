import { Tensor } from 'onnxruntime-node'

import { StreamError } from '../../errors.js'
import { GRAPH_FILES, type Manifest } from '../manifest.js'
import type { Tensors } from './session.js'

/** Rows that a cache grows by: fewer copies, and at most this much read in vain. */
const ROOM_STEP = 64

/** What a cache's size follows from. */
export type CacheGeometry = Pick<Manifest['languageModel'], 'keyValueHeads' | 'headSize'>

/** One sequence's place in a cache. */
export interface CacheSlot {
  readonly cache: KeyValueCache
  readonly slot: number
}

/** Keys or values of one layer. */
interface LayerArray {
  /** Without what stands in front of it: `0.key`. */
  readonly name: string
  /** Key-value heads of its layer. */
  readonly heads: number
  /** `[slots, heads, room, headSize]`. */
  readonly data: Float32Array
}

/**
 * Keys and values of some sequences side by side, each in a slot of its own, in memory that stays where it
 * is: the decoder reads it there, and only new rows are written to it.
 *
 * ```
 * of each layer, keys and values   [slots, heads, room, headSize]   heads: key-value heads of that layer
 * slot 0   rows 0 … lengths[0] - 1 are tokens, the rest of the room is zero
 * slot 1   rows 0 … lengths[1] - 1
 * ```
 */
export class KeyValueCache {
  /** Tokens in each slot. */
  readonly lengths: number[]
  /** Rows each slot has room for. */
  readonly room: number
  readonly #headSize: number
  readonly #layers: readonly LayerArray[]

  /** @param room Rows that each slot must have room for; rounded up. */
  constructor({ keyValueHeads, headSize }: CacheGeometry, slots: number, room: number) {
    this.#headSize = headSize
    // One step at least: a product over no rows at all is asking for trouble.
    this.room = Math.max(1, Math.ceil(room / ROOM_STEP)) * ROOM_STEP
    this.lengths = new Array<number>(slots).fill(0)
    this.#layers = keyValueHeads.flatMap((heads, layer) => ['key', 'value'].map((kind) => {
      return { name: `${layer}.${kind}`, heads, data: new Float32Array(slots * this.#slotSize(heads)) }
    }))
  }

  /** Bytes of all slots. */
  get bytes(): number {
    return this.#layers.reduce((sum, { data }) => sum + data.byteLength, 0)
  }

  /** The first `slots` slots as inputs of the decoder. Nothing is copied. */
  feeds(slots: number): Tensors {
    const entries = this.#layers.map(({ name, heads, data }) => {
      const shape = [slots, heads, this.room, this.#headSize]
      return [`past_key_values.${name}`, new Tensor('float32', data.subarray(0, slots * this.#slotSize(heads)), shape)] as const
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
    const rowsSize = count * this.#headSize
    for (const { name, heads, data } of this.#layers) {
      const fresh = freshRows(outputs, `present.${name}`, slots * heads * rowsSize)
      for (let head = 0; head < slots * heads; head += 1) {
        const at = this.lengths[Math.floor(head / heads)] ?? 0
        data.set(fresh.subarray(head * rowsSize, (head + 1) * rowsSize), (head * this.room + at) * this.#headSize)
      }
    }
    for (let slot = 0; slot < slots; slot += 1) this.lengths[slot] = (this.lengths[slot] ?? 0) + count
  }

  /** Makes a slot a copy of another's first `length` rows. */
  copy(slot: number, from: CacheSlot, length: number): void {
    this.clear(slot)
    for (const [index, { heads, data }] of this.#layers.entries()) {
      const source = from.cache.#layers[index]?.data ?? data
      for (let head = 0; head < heads; head += 1) {
        const start = (from.slot * heads + head) * from.cache.room * this.#headSize
        const rows = source.subarray(start, start + length * this.#headSize)
        data.set(rows, (slot * heads + head) * this.room * this.#headSize)
      }
    }
    this.lengths[slot] = length
  }

  /**
   * Empties a slot. Its rows become zero: hidden rows count nothing times their value, which is
   * something else than nothing where a failed sequence left values that are not numbers.
   */
  clear(slot: number): void {
    for (const { heads, data } of this.#layers) data.fill(0, slot * this.#slotSize(heads), (slot + 1) * this.#slotSize(heads))
    this.lengths[slot] = 0
  }

  /** Values of a slot in a layer. */
  #slotSize(heads: number): number {
    return heads * this.room * this.#headSize
  }
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
