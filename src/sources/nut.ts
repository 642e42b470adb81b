import { BytesReader } from './bytes-reader.js'
import {
  type FrameCode,
  type NutMainHeader,
  type NutStreamHeader,
  type Rational,
  STARTCODE_BYTE,
  addBits,
  malformed,
  readMainHeader,
  readStreamHeader,
} from './nut-headers.js'

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

const FILE_ID = new TextEncoder().encode('nut/multimedia container\0')
/** Headers are some hundred bytes; anything far above is no header. */
const MAX_HEADER_BYTES = 1 << 20

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

/** The second byte of a startcode says what the packet is. */
const Packet = { Main: 0x4d, Stream: 0x53, Syncpoint: 0x4b } as const

/**
 * Reads pictures off a NUT stream with one rgb24 rawvideo track, as ffmpeg writes it to a pipe.
 *
 * ```
 * "nut/multimedia container\0"
 * packet:  'N' kind 6 more bytes of startcode | v length (above 4096: + 4 bytes checksum) | length bytes
 * frame:   code (never 'N') | what the code's flags say (see `readFrame`) | the pixels
 * ```
 *
 * NUT carries exact timestamps in band, which raw video on a pipe doesn't. Pulls a chunk only when it needs
 * one, and holds one picture and one chunk at a time. Checksums are not checked: the bytes come off a pipe.
 *
 * @throws {StreamError} `VIDEO_DECODER_FAILED`: these aren't such bytes, or they end inside a picture.
 */
export async function* readNut(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<NutPicture, void, undefined> {
  const reader = new BytesReader(chunks)
  // An ffmpeg that found nothing to write writes nothing.
  if (await reader.isAtEnd()) return
  const id = await reader.bytes(FILE_ID.length)
  if (id.some((byte, place) => byte !== FILE_ID[place])) throw malformed('it starts differently')

  const state: NutState = { lastPts: 0 }
  while (!(await reader.isAtEnd())) {
    const code = await reader.byte()
    if (code === STARTCODE_BYTE) await readPacket(reader, state)
    else yield await readFrame(reader, code, state)
  }
}

/** What earlier packets said and later ones build on. */
interface NutState {
  main?: NutMainHeader
  stream?: NutStreamHeader
  lastPts: number
}

async function readPacket(reader: BytesReader, state: NutState): Promise<void> {
  const [kind] = await reader.bytes(7)
  const length = await readUnsigned(reader)
  if (length > MAX_HEADER_BYTES) throw malformed(`a header has ${length} bytes`)
  if (length > 4096) await reader.bytes(4)
  const body = await reader.bytes(length)
  // Main and stream headers are repeated now and then, always the same.
  if (kind === Packet.Main) state.main ??= readMainHeader(body)
  if (kind === Packet.Stream) state.stream ??= readStreamHeader(body, state.main ?? missing('main header'))
  if (kind === Packet.Syncpoint) state.lastPts = syncpointPts(body, state)
}

/** A syncpoint sets the clock: `v value` = time * time bases + index of the time base it is in. */
function syncpointPts(body: Uint8Array, { main, stream }: NutState): number {
  const timeBases = (main ?? missing('main header')).timeBases
  const { timeBase: target } = stream ?? missing('stream header')
  let value = 0n
  for (const byte of body) {
    value = (value << 7n) | BigInt(byte & 0x7f)
    if (byte < 0x80) break
  }
  const count = BigInt(timeBases.length)
  const source = timeBases[Number(value % count)] ?? missing('time base')
  const ticks = (value / count) * BigInt(source.numerator) * BigInt(target.denominator)
  return Number(ticks / (BigInt(source.denominator) * BigInt(target.numerator)))
}

/**
 * Reads a frame; each part is there only if its flag is set:
 *
 * ```
 * v flags to flip  v stream  v pts  v size (high part)  s match time  v header index  v reserved count
 * reserved: v each  4 bytes checksum  the pixels, without the elided header they start with
 * ```
 */
async function readFrame(reader: BytesReader, codeByte: number, state: NutState): Promise<NutPicture> {
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

async function readUnsigned(reader: BytesReader): Promise<number> {
  let value = 0
  for (;;) {
    const byte = await reader.byte()
    value = addBits(value, byte)
    if (byte < 0x80) return value
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(first.length + second.length)
  bytes.set(first)
  bytes.set(second, first.length)
  return bytes
}

function missing(what: string): never {
  throw malformed(`it has no ${what}`)
}
