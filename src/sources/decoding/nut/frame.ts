import type { BytesReader } from './bytes-reader.js'
import type { FrameCode, NutMainHeader, NutStreamHeader, Rational } from './headers.js'
import { malformed, missing, readUnsigned } from './numbers.js'

/** One picture off the wire. */
export interface NutPicture {
  /** Timestamp in ticks of `timeBase`. */
  readonly pts: number
  /** Seconds of one tick. */
  readonly timeBase: Rational
  readonly width: number
  readonly height: number
  /** RGB, 8 bits a channel, row by row without padding. */
  readonly data: Uint8Array
}

/** What earlier packets said and later ones build on. */
export interface NutState {
  main?: NutMainHeader
  stream?: NutStreamHeader
  lastPts: number
}

const Flag = {
  CodedPts: 8,
  StreamId: 16,
  SizeMsb: 32,
  Checksum: 64,
  Reserved: 128,
  SideData: 256,
  HeaderIndex: 1024,
  MatchTime: 2048,
  Coded: 4096,
  Invalid: 8192,
} as const

/**
 * Reads a frame; each part is there only if its flag is set:
 *
 * ```
 * v flags to flip  v stream  v pts  v size (high part)  s match time  v header index  v reserved count
 * reserved: v each  4 bytes checksum  the pixels, without the elided header they start with
 * ```
 */
export async function readFrame(reader: BytesReader, codeByte: number, state: NutState): Promise<NutPicture> {
  const main = state.main ?? missing('main header')
  const stream = state.stream ?? missing('stream header')
  const code = main.frameCodes[codeByte] ?? missing('frame code')

  const flags = code.flags & Flag.Coded ? code.flags ^ (await readUnsigned(reader)) : code.flags
  if (flags & (Flag.Invalid | Flag.SideData)) throw malformed('a frame is of a kind that was not asked for')
  if (flags & Flag.StreamId) await readUnsigned(reader)
  state.lastPts =
    flags & Flag.CodedPts
      ? fullPts(await readUnsigned(reader), state.lastPts, stream.ptsShift)
      : state.lastPts + code.ptsDelta
  const size = code.size + (flags & Flag.SizeMsb ? code.sizeFactor * (await readUnsigned(reader)) : 0)
  if (flags & Flag.MatchTime) await readUnsigned(reader)
  const elided = await readElided(reader, { flags, size, code, main })
  if (flags & Flag.Checksum) await reader.bytes(4)

  const { width, height, timeBase } = stream
  // Said before the memory is taken: a made-up size could be of any height.
  if (size !== width * height * 3) throw malformed(`a picture of ${width} x ${height} has ${size} bytes`)
  const pixels = await reader.bytes(size - elided.length)
  return { pts: state.lastPts, timeBase, width, height, data: elided.length === 0 ? pixels : joined(elided, pixels) }
}

/** The bytes that a small frame left out because many frames start with them. */
async function readElided(
  reader: BytesReader,
  { flags, size, code, main }: { flags: number; size: number; code: FrameCode; main: NutMainHeader },
): Promise<Uint8Array> {
  const named = flags & Flag.HeaderIndex ? await readUnsigned(reader) : code.headerIndex
  const reserved = flags & Flag.Reserved ? await readUnsigned(reader) : code.reservedCount
  for (let field = 0; field < reserved; field++) await readUnsigned(reader)
  return main.elidedHeaders[size > 4096 ? 0 : named] ?? missing('elided header')
}

/** Completes a timestamp coded by its low bits: the nearest one to the last that ends in these. */
function fullPts(coded: number, lastPts: number, shift: number): number {
  const range = 2 ** shift
  if (coded >= range) return coded - range
  const lowest = lastPts - Math.floor((range - 1) / 2)
  const above = (((coded - lowest) % range) + range) % range
  return lowest + above
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(first.length + second.length)
  bytes.set(first)
  bytes.set(second, first.length)
  return bytes
}
