const LINE_FEED = 0x0a

// What a number holds exactly.
const LONGEST_INTEGER = 7

/** Reads numbers and text from bytes, one after the other. */
export interface ByteReader {
  uint8(): number
  /** Little endian, as the other integers. */
  uint16(): number
  uint32(): number
  int32(): number
  /** A signed integer of any number of bytes up to 7. */
  long(bytes: number): number
  /** Big endian. */
  float64(): number
  /** UTF-8. */
  text(bytes: number): string
  /** Up to the next line feed, which is left out. */
  line(): string
}

/** @throws {Error} From each method where the bytes end before what is asked for. */
export function createByteReader(data: Uint8Array): ByteReader {
  const buffer = Buffer.from(data.buffer, data.byteOffset, data.length)
  let position = 0
  const take = (bytes: number): number => {
    const at = position
    if (at + bytes > buffer.length) throw new Error('it is cut')
    position += bytes
    return at
  }
  const text = (bytes: number): string => {
    const at = take(bytes)
    return buffer.toString('utf8', at, at + bytes)
  }
  return {
    uint8: () => buffer.readUInt8(take(1)),
    uint16: () => buffer.readUInt16LE(take(2)),
    uint32: () => buffer.readUInt32LE(take(4)),
    int32: () => buffer.readInt32LE(take(4)),
    float64: () => buffer.readDoubleBE(take(8)),
    text,
    long(bytes) {
      if (bytes > LONGEST_INTEGER) throw new Error(`it holds an integer of ${bytes} bytes`)
      const at = take(bytes)
      return Number(BigInt.asIntN(bytes * 8, littleEndian(buffer.subarray(at, at + bytes))))
    },
    line() {
      const end = buffer.indexOf(LINE_FEED, position)
      if (end < 0) throw new Error('it is cut')
      const line = text(end - position)
      take(1)
      return line
    },
  }
}

const littleEndian = (bytes: Uint8Array): bigint => bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n)
