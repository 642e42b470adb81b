import { type CacheGeometry, KeyValueCache } from './key-value-cache.js'

/** A sequence that may be seated: with a cache of its own until then, and none from then on. */
export interface BatchMember {
  own: KeyValueCache | undefined
}

/**
 * The sequences that take part in steps, each in a slot of one cache.
 *
 * ```
 * seat a b c   a │ b │ c       each is copied in once, from a cache of its own, which it leaves
 * seat a c d   a │ c │ d       the last one fills the gap, the newcomer comes behind
 * ```
 *
 * The cache is as large as its members need, in slots and in rows: the decoder reads all of its room.
 */
export class DecoderBatch {
  readonly #geometry: CacheGeometry
  #cache: KeyValueCache
  /** In the order of slots. */
  readonly #members: BatchMember[] = []

  constructor(geometry: CacheGeometry) {
    this.#geometry = geometry
    this.#cache = emptyCache(geometry)
  }

  /** The cache of all members. */
  get cache(): KeyValueCache {
    return this.#cache
  }

  /**
   * Seats exactly these, with room for one row more. One that is left out lost its cache, and can't come back.
   *
   * @returns The slot of each.
   */
  seat(wanted: readonly BatchMember[]): readonly number[] {
    this.#unseatOthers(new Set(wanted))
    const newcomers = wanted.filter((member) => !this.#members.includes(member))
    const lengths = [...this.#cache.lengths, ...newcomers.map(({ own }) => own?.lengths[0] ?? 0)]
    this.#fit(wanted.length, 1 + Math.max(...lengths))
    for (const member of newcomers) {
      if (member.own === undefined) throw new Error('A sequence that has left a batch has no cache to come back with.')
      this.#cache.copy(this.#members.length, { cache: member.own, slot: 0 }, member.own.lengths[0] ?? 0)
      this.#members.push(member)
      member.own = undefined
    }
    return wanted.map((member) => this.#members.indexOf(member))
  }

  /** Unseats all, and lets their memory go. */
  clear(): void {
    this.#members.length = 0
    this.#cache = emptyCache(this.#geometry)
  }

  #unseatOthers(wanted: ReadonlySet<BatchMember>): void {
    // From the end, so that whatever fills a gap is known to stay.
    for (let slot = this.#members.length - 1; slot >= 0; slot -= 1) {
      const [member, last] = [this.#members[slot], this.#members.length - 1]
      if (member !== undefined && wanted.has(member)) continue
      const filler = this.#members.pop()
      if (slot < last && filler !== undefined) {
        this.#cache.copy(slot, { cache: this.#cache, slot: last }, this.#cache.lengths[last] ?? 0)
        this.#members[slot] = filler
      }
      this.#cache.clear(last)
    }
  }

  /** Makes the cache larger where it is too small, and smaller where it is more than twice too large. */
  #fit(members: number, rows: number): void {
    const old = this.#cache
    // Doubled, so that newcomers one after another don't each move everybody.
    const slots = 2 ** Math.ceil(Math.log2(members))
    const isTooSmall = members > old.lengths.length || rows > old.room
    if (!isTooSmall && 2 * slots * rows > old.lengths.length * old.room) return
    const fitting = new KeyValueCache(this.#geometry, slots, rows)
    if (!isTooSmall && 2 * fitting.bytes > old.bytes) return
    for (const slot of this.#members.keys()) fitting.copy(slot, { cache: old, slot }, old.lengths[slot] ?? 0)
    this.#cache = fitting
  }
}

const emptyCache = (geometry: CacheGeometry): KeyValueCache => new KeyValueCache(geometry, 1, 1)
