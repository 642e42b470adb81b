import { HeaderBytes, malformed } from './numbers.js'

/** A fraction of two whole numbers, e.g. the seconds of one tick. */
export interface Rational {
  readonly numerator: number
  readonly denominator: number
}

/** What a frame code stands for, from the table in the main header. */
export interface FrameCode {
  readonly flags: number
  readonly ptsDelta: number
  readonly sizeFactor: number
  readonly size: number
  readonly reservedCount: number
  readonly headerIndex: number
}

/** The main header: time bases, the table of frame codes, and bytes that frames may leave out. */
export interface NutMainHeader {
  readonly timeBases: readonly Rational[]
  /** By code, 256 of them; the startcode's own place is undefined. */
  readonly frameCodes: readonly (FrameCode | undefined)[]
  /** What a frame that names the place here starts with, without holding it. */
  readonly elidedHeaders: readonly Uint8Array[]
}

/** The header of the one video stream. */
export interface NutStreamHeader {
  readonly timeBase: Rational
  /** Bits of a timestamp that is coded by its low bits alone. */
  readonly ptsShift: number
  readonly width: number
  readonly height: number
}

/** The code of a frame can't be this byte: it begins a packet. */
export const STARTCODE_BYTE = 0x4e

/**
 * Reads a main header:
 *
 * ```
 * v version (above 3: v minor version)   v streams   v max distance
 * v time bases, each: v numerator  v denominator
 * the frame codes (see `readFrameCodes`)
 * v elided headers, each: vb bytes       the rest is ignored
 * ```
 */
export function readMainHeader(bytes: Uint8Array): NutMainHeader {
  const header = new HeaderBytes(bytes)
  const version = header.unsigned()
  if (version < 2 || version > 4) throw malformed(`its version is ${version}`)
  if (version > 3) header.unsigned()
  const streams = header.unsigned()
  if (streams !== 1) throw malformed(`it has ${streams} streams`)
  header.unsigned()
  const timeBases = list(header.unsigned(), () => readRational(header))
  const frameCodes = readFrameCodes(header)
  const elidedHeaders = [new Uint8Array(), ...list(header.unsigned(), () => header.block())]
  return { timeBases, frameCodes, elidedHeaders }
}

/**
 * Reads the table of frame codes, coded as runs of like entries:
 *
 * ```
 * v flags  v fields, then as many of: s pts delta  v size factor  v stream  v size  v reserved  v count  s match  v header
 * ```
 *
 * A field that isn't there keeps the value of the run before (pts delta, factor, stream, header) or is 0.
 */
function readFrameCodes(header: HeaderBytes): (FrameCode | undefined)[] {
  const codes: (FrameCode | undefined)[] = []
  let ptsDelta = 0
  let sizeFactor = 1
  let headerIndex = 0
  while (codes.length < 256) {
    const flags = header.unsigned()
    const fields = header.unsigned()
    if (fields > 0) ptsDelta = header.signed()
    if (fields > 1) sizeFactor = header.unsigned()
    if (fields > 2) header.unsigned()
    const size = fields > 3 ? header.unsigned() : 0
    const reservedCount = fields > 4 ? header.unsigned() : 0
    const count = fields > 5 ? header.unsigned() : sizeFactor - size
    if (fields > 6) header.signed()
    if (fields > 7) headerIndex = header.unsigned()
    for (let field = 8; field < fields; field++) header.unsigned()
    if (count < 1) throw malformed('its table of frame codes is empty')
    for (let step = 0; step < count && codes.length < 256; ) {
      if (codes.length === STARTCODE_BYTE) {
        codes.push(undefined)
        continue
      }
      codes.push({ flags, ptsDelta, sizeFactor, size: size + step, reservedCount, headerIndex })
      step += 1
    }
  }
  return codes
}

/**
 * Reads a stream header:
 *
 * ```
 * v stream  v class (0: video)  vb fourcc  v time base  v pts shift  v max pts distance
 * v decode delay  v flags  vb codec specific  v width  v height       the rest is ignored
 * ```
 */
export function readStreamHeader(bytes: Uint8Array, main: NutMainHeader): NutStreamHeader {
  const header = new HeaderBytes(bytes)
  header.unsigned()
  if (header.unsigned() !== 0) throw malformed('its stream is not video')
  header.block()
  const timeBase = main.timeBases[header.unsigned()]
  const ptsShift = header.unsigned()
  if (timeBase === undefined || ptsShift > 16) throw malformed('the time base of its stream is unknown')
  for (let field = 0; field < 3; field++) header.unsigned()
  header.block()
  return { timeBase, ptsShift, width: header.unsigned(), height: header.unsigned() }
}

function readRational(header: HeaderBytes): Rational {
  const rational = { numerator: header.unsigned(), denominator: header.unsigned() }
  if (rational.numerator === 0 || rational.denominator === 0) throw malformed('a time base is 0')
  return rational
}

/** `count` items; the bytes run out, and throw, long before a made-up count could fill the memory. */
function list<Item>(count: number, read: () => Item): Item[] {
  const items: Item[] = []
  for (let place = 0; place < count; place++) items.push(read())
  return items
}
