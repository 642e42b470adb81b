/** Bytes of a picture that are looked at: enough to see a clock in its corner go on. */
const SAMPLES = 16_384
/** Primes of FNV-1a and of another multiplicative hash: two of 32 bits make a clash unlikely for good. */
const PRIMES = [0x01000193, 0x85ebca6b] as const

/**
 * A number that differs where pictures differ, from samples spread evenly over the bytes.
 *
 * No picture is kept for it: pixels may be handed to another thread at any time.
 */
export function fingerprint(data: Uint8Array): string {
  let [first, second] = [0x811c9dc5, data.length >>> 0]
  // Odd, so that all three colours are met in turn.
  const step = Math.max(1, Math.floor(data.length / SAMPLES)) | 1
  for (let place = 0; place < data.length; place += step) {
    const byte = data[place] ?? 0
    first = Math.imul(first ^ byte, PRIMES[0])
    second = Math.imul(second ^ byte, PRIMES[1]) ^ (second >>> 15)
  }
  return `${(first >>> 0).toString(16)}${(second >>> 0).toString(16).padStart(8, '0')}`
}

/**
 * Notices that a camera sends the very same picture for too long, which sensors with their noise never do.
 *
 * Says so once for a picture: a scene that is still by nature (a test card, a shared screen) stays as it is.
 */
export class FrozenPicture {
  readonly #afterMs: number
  #current: string | undefined
  #sinceMs = 0
  #told: string | undefined

  /** @param afterMs Milliseconds of media time after which a picture counts as frozen. */
  constructor(afterMs: number) {
    this.#afterMs = afterMs
  }

  /** Takes in a picture; true where it has just been found frozen. */
  isFrozen({ data, ptsMs }: { readonly data: Uint8Array; readonly ptsMs: number }): boolean {
    const print = fingerprint(data)
    if (print !== this.#current) {
      this.#current = print
      this.#sinceMs = ptsMs
    }
    if (this.#told !== undefined && print !== this.#told) this.#told = undefined
    if (this.#told === print || ptsMs - this.#sinceMs < this.#afterMs) return false
    this.#told = print
    return true
  }

  /** Media time starts again. */
  restart(): void {
    this.#current = undefined
  }
}
