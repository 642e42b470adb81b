import { StreamError } from '../../../errors.js'
import type { BytesReader } from './bytes-reader.js'

/** Reads NUT's numbers off the bytes of one header. */
export class HeaderBytes {
  readonly #bytes: Uint8Array
  #place = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** A `v`: big-endian groups of 7 bits, the high bit says that more follow. */
  unsigned(): number {
    let value = 0
    for (;;) {
      const byte = this.#bytes[this.#place]
      if (byte === undefined) throw malformed('a header ends too soon')
      this.#place += 1
      value = addBits(value, byte)
      if (byte < 0x80) return value
    }
  }

  /** An `s`: 0, 1, -1, 2, -2, … coded as 0, 1, 2, 3, 4, … */
  signed(): number {
    return toSigned(this.unsigned())
  }

  /** A `vb`: a length and as many bytes. */
  block(): Uint8Array {
    const length = this.unsigned()
    const block = this.#bytes.subarray(this.#place, this.#place + length)
    if (block.length < length) throw malformed('a header ends too soon')
    this.#place += length
    return block
  }
}

/** Adds the 7 low bits of a byte to a `v` read so far. */
function addBits(value: number, byte: number): number {
  const sum = value * 128 + (byte & 0x7f)
  if (!Number.isSafeInteger(sum)) throw malformed('a number is too large')
  return sum
}

/** Turns a `v` into an `s`. */
function toSigned(value: number): number {
  return value % 2 === 0 ? 0 - value / 2 : (value + 1) / 2
}

/** Reads a `v` off a stream. */
export async function readUnsigned(reader: BytesReader): Promise<number> {
  let value = 0
  for (;;) {
    const byte = await reader.byte()
    value = addBits(value, byte)
    if (byte < 0x80) return value
  }
}

/** A NUT stream that isn't one, or not of the kind we asked ffmpeg for. */
export function malformed(what: string): StreamError {
  return new StreamError('VIDEO_DECODER_FAILED', `The output of ffmpeg is not the NUT stream asked for: ${what}.`)
}

/** Throws for something that others build on and that wasn't there. */
export function missing(what: string): never {
  throw malformed(`it has no ${what}`)
}
