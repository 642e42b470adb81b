import { type CacheGeometry, KeyValueCache } from './key-value-cache.js'

/**
 * The sequences that take part in steps, each in a slot of one cache.
 *
 * ```
 * seat a b c   a │ b │ c       each is copied in once, from a cache of its own
 * seat a c d   a │ c │ d       the last one fills the gap, the newcomer comes behind
 * ```
 */
export class DecoderBatch {
  readonly #geometry: CacheGeometry
  #cache: KeyValueCache
  /** Each member by its own cache, in the order of slots. */
  readonly #members: KeyValueCache[] = []

  constructor(geometry: CacheGeometry) {
    this.#geometry = geometry
    this.#cache = emptyCache(geometry)
  }

  /** The cache of all members. */
  get cache(): KeyValueCache {
    return this.#cache
  }

  /**
   * Seats exactly these, with room for one row more.
   *
   * @param wanted Each by its own cache, whose rows a newcomer begins with.
   * @returns The slot of each.
   */
  seat(wanted: readonly KeyValueCache[]): readonly number[] {
    this.#unseatOthers(new Set(wanted))
    const newcomers = wanted.filter((own) => !this.#members.includes(own))
    this.#makeRoom(wanted.length, 1 + Math.max(...this.#cache.lengths, ...newcomers.map(({ lengths }) => lengths[0] ?? 0)))
    for (const own of newcomers) {
      this.#cache.copy(this.#members.length, { cache: own, slot: 0 }, own.lengths[0] ?? 0)
      this.#members.push(own)
    }
    return wanted.map((own) => this.#members.indexOf(own))
  }

  /** Unseats all, and lets their memory go. */
  clear(): void {
    this.#members.length = 0
    this.#cache = emptyCache(this.#geometry)
  }

  #unseatOthers(wanted: ReadonlySet<KeyValueCache>): void {
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

  #makeRoom(slots: number, rows: number): void {
    const old = this.#cache
    if (slots <= old.lengths.length && rows <= old.room) return
    this.#cache = new KeyValueCache(this.#geometry, Math.max(slots, old.lengths.length), Math.max(rows, old.room))
    for (const slot of this.#members.keys()) this.#cache.copy(slot, { cache: old, slot }, old.lengths[slot] ?? 0)
  }
}

const emptyCache = (geometry: CacheGeometry): KeyValueCache => new KeyValueCache(geometry, 1, 1)
