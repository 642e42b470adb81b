import type { DecoderPrefix } from './language-decoder.js'

/**
 * Beginnings of texts that may come again: the words every prompt begins with, and a clip with them. The
 * one that was asked for longest ago goes first.
 */
export class PrefixCache {
  readonly #maxBytes: number
  /** From the one that was asked for longest ago to the latest. */
  readonly #prefixes = new Map<string, DecoderPrefix>()
  #bytes = 0

  /** @param maxBytes Memory of all prefixes; 0 keeps none. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Memory of the prefixes that are kept. */
  get bytes(): number {
    return this.#bytes
  }

  get(key: string): DecoderPrefix | undefined {
    const prefix = this.#prefixes.get(key)
    if (prefix === undefined) return undefined
    this.#prefixes.delete(key)
    this.#prefixes.set(key, prefix)
    return prefix
  }

  /** Keeps a prefix, which is this cache's from now on; one that is too large by itself is let go at once. */
  put(key: string, prefix: DecoderPrefix): void {
    this.#remove(key)
    if (prefix.bytes > this.#maxBytes) {
      // Making room for it would throw all others out for nothing.
      prefix.dispose()
      return
    }
    this.#prefixes.set(key, prefix)
    this.#bytes += prefix.bytes
    for (const oldest of this.#prefixes.keys()) {
      if (this.#bytes <= this.#maxBytes) break
      this.#remove(oldest)
    }
  }

  /** Lets all go. */
  clear(): void {
    for (const key of [...this.#prefixes.keys()]) this.#remove(key)
  }

  #remove(key: string): void {
    const prefix = this.#prefixes.get(key)
    if (prefix === undefined) return
    this.#prefixes.delete(key)
    this.#bytes -= prefix.bytes
    prefix.dispose()
  }
}
