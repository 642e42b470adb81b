import { BytesReader } from './bytes-reader.js'
import { type NutPicture, type NutState, readFrame } from './frame.js'
import { STARTCODE_BYTE, readMainHeader, readStreamHeader } from './headers.js'
import { malformed, missing, readUnsigned } from './numbers.js'

const FILE_ID = new TextEncoder().encode('nut/multimedia container\0')
/** Headers are some hundred bytes; anything far above is no header. */
const MAX_HEADER_BYTES = 1 << 20

/** A 64-bit number takes no more. */
const MAX_NUMBER_BYTES = 10

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
  for (const byte of body.subarray(0, MAX_NUMBER_BYTES)) {
    value = (value << 7n) | BigInt(byte & 0x7f)
    if (byte < 0x80) break
  }
  const count = BigInt(timeBases.length)
  const source = timeBases[Number(value % count)] ?? missing('time base')
  const ticks = (value / count) * BigInt(source.numerator) * BigInt(target.denominator)
  return Number(ticks / (BigInt(source.denominator) * BigInt(target.numerator)))
}
