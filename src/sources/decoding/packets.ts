import type { Rational } from './nut/headers.js'

/**
 * Options that make ffmpeg list the packets of the first video track as text, and of sound and subtitles, which
 * can be longer: without them a whole file would look as if it were cut off.
 */
export const LIST_PACKETS_OPTIONS: readonly string[] = [
  // `V` leaves out cover pictures.
  ...['-map', '0:V:0', '-map', '0:a:0?', '-map', '0:s?', '-c', 'copy'],
  // Without this it would leave out what lies before time 0. What lies before the first keyframe it does leave
  // out, and rightly: a recording that begins in the middle has pictures there that can't be decoded.
  ...['-copypriorss', '1'],
  ...['-f', 'framecrc'],
]

/** The packets of a video track, as far as seeking and sampling need them. Times are in ticks. */
export interface PacketList {
  /** Seconds of one tick. */
  readonly timeBase: Rational
  /** Pixels of a picture as coded; 0 where the container doesn't say. */
  readonly pixels: number
  /** When each picture is shown, in the file's order; undefined where a packet has no such time. */
  readonly pts: readonly number[] | undefined
  /** When each picture is decoded, in the file's order. */
  readonly dts: readonly number[]
  /** When the keyframes are shown, in the file's order. */
  readonly keyPts: readonly number[]
  /** When the same keyframes are decoded. */
  readonly keyDts: readonly number[]
  /** Ticks that all packets last together, those never shown included. */
  readonly totalDuration: number
  /** Number of all packets, those never shown included. */
  readonly totalPackets: number
  /** Media time at which the last packet of any kind ends, in seconds. */
  readonly endSeconds: number
  /** Whether the last picture is only a part: the file ends inside it. It isn't in the lists. */
  readonly isLastCut: boolean
}

/** Bits of a packet's flags. */
const Flag = { Key: 1, Corrupt: 2, Discard: 4 } as const

const VIDEO = 0

/**
 * Reads ffmpeg's `framecrc` output:
 *
 * ```
 * #tb 0: 1/12800
 * #dimensions 0: 640x360
 * 0,      -1024,          0,      512,    41276, 0x09ae04ce
 * 0,       -512,       1536,      512,     1298, 0x8e758092, F=0x0
 * track    dts         pts   duration       size   checksum   flags, where they are not 1 (keyframe)
 * ```
 *
 * Packets flagged as discarded (what an edit list cuts off) are decoded but never shown: they are left out.
 * Keeps two numbers for each picture: about 1.4 MB for an hour.
 */
export async function readPackets(lines: AsyncIterable<string>): Promise<PacketList> {
  const collector = new PacketCollector()
  for await (const line of lines) collector.add(line)
  return collector.list()
}

class PacketCollector {
  readonly #timeBases = new Map<number, Rational>()
  #pixels = 0
  readonly #pts: number[] = []
  readonly #dts: number[] = []
  readonly #keyPts: number[] = []
  readonly #keyDts: number[] = []
  #hasAllPts = true
  #isLastCut = false
  #totalDuration = 0
  #totalPackets = 0
  #endSeconds = -Infinity

  add(line: string): void {
    if (line.startsWith('#')) this.#addHeader(line)
    else this.#addPacket(line)
  }

  #addHeader(line: string): void {
    const timeBase = /^#tb (\d+): (\d+)\/(\d+)/.exec(line)
    if (timeBase !== null) {
      this.#timeBases.set(Number(timeBase[1]), { numerator: Number(timeBase[2]), denominator: Number(timeBase[3]) })
    }
    const size = /^#dimensions 0: (\d+)x(\d+)/.exec(line)
    if (size !== null) this.#pixels = Number(size[1]) * Number(size[2])
  }

  #addPacket(line: string): void {
    const packet = /^(\d+),\s*(-?\d+),\s*(-?\d+),\s*(\d+),\s*\d+, 0x[0-9a-f]+(?:, F=0x([0-9A-Fa-f]+))?/.exec(line)
    if (packet === null) return
    const [track, dts, pts, duration] = packet.slice(1, 5).map(Number) as [number, number, number, number]
    this.#noteEnd(track, Number.isSafeInteger(pts) ? pts : dts, duration)
    if (track === VIDEO) this.#addPicture({ dts, pts, duration, flags: parseInt(packet[5] ?? '1', 16) })
  }

  list(): PacketList {
    // Of a picture that was cut off in the middle the decoder would make up the rest.
    if (this.#isLastCut) {
      this.#pts.pop()
      this.#dts.pop()
    }
    return {
      timeBase: this.#timeBases.get(VIDEO) ?? { numerator: 1, denominator: 1 },
      pixels: this.#pixels,
      pts: this.#hasAllPts ? this.#pts : undefined,
      dts: this.#dts,
      keyPts: this.#keyPts,
      keyDts: this.#keyDts,
      totalDuration: this.#totalDuration,
      totalPackets: this.#totalPackets,
      endSeconds: this.#endSeconds,
      isLastCut: this.#isLastCut,
    }
  }

  #noteEnd(track: number, ticks: number, duration: number): void {
    const { numerator, denominator } = this.#timeBases.get(track) ?? { numerator: 1, denominator: 1 }
    this.#endSeconds = Math.max(this.#endSeconds, ((ticks + duration) * numerator) / denominator)
  }

  #addPicture(packet: { dts: number; pts: number; duration: number; flags: number }): void {
    this.#totalPackets += 1
    this.#totalDuration += packet.duration
    // "No timestamp" is the lowest 64-bit number.
    const hasPts = Number.isSafeInteger(packet.pts)
    if (packet.flags & Flag.Key && hasPts) {
      this.#keyPts.push(packet.pts)
      this.#keyDts.push(packet.dts)
    }
    if (packet.flags & Flag.Discard) return
    this.#isLastCut = (packet.flags & Flag.Corrupt) !== 0
    this.#hasAllPts &&= hasPts
    this.#pts.push(packet.pts)
    this.#dts.push(packet.dts)
  }
}
