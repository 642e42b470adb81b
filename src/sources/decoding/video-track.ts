import { throwIfAborted } from '../../errors.js'
import { averageFps } from './average-fps.js'
import { type ContainerHeader, ContainerHeaderReader } from './container-header.js'
import { startFfmpeg } from './ffmpeg.js'
import { linesOf } from './lines.js'
import type { Rational } from './nut/headers.js'
import { LIST_PACKETS_OPTIONS, type PacketList, readPackets } from './packets.js'
import { endError, expectVideoFile, listingError, noPicturesError } from './video-errors.js'

/** All that is known of a file's video before a picture is decoded. */
export interface VideoTrack {
  readonly path: string
  /** Pixels of a picture as coded; 0 where the container doesn't say. */
  readonly pixels: number
  /** Seconds of one tick. */
  readonly timeBase: Rational
  /** When each picture is shown, in ticks from the first one, ascending; at least one. */
  readonly ticks: readonly number[]
  /** The first picture's own timestamp, in ticks. */
  readonly firstTicks: number
  /** When the keyframes are shown, in ticks from the first picture, ascending; can be below 0. */
  readonly keyTicks: readonly number[]
  /**
   * Whether a picture can be known by its timestamp. AVI with B-frames and raw streams have none: their
   * pictures are counted, and can't be sought.
   */
  readonly hasTimestamps: boolean
  /** Frames for each second, on average, as the container tells it. */
  readonly averageFps: number
  /** Timestamp that ffmpeg's `-ss` counts from, in seconds. */
  readonly startSeconds: number
  /** Length of what is there, in seconds: pictures, sound or subtitles, whichever is longest. */
  readonly presentSeconds: number
  /** Length that the container announces, in seconds; undefined where it doesn't. */
  readonly announcedSeconds: number | undefined
  /** Whether the file ends in the middle of a picture. */
  readonly isLastCut: boolean
}

/** A file's video, and what its container says of it: for rules that go by the header. */
export interface VideoListing {
  readonly track: VideoTrack
  readonly header: ContainerHeader
  /** When the keyframes are shown and decoded, in ticks as the container has them, in the file's order. */
  readonly keyframes: readonly { readonly pts: number; readonly dts: number }[]
  /** Pictures in the file, those never shown included. */
  readonly totalPackets: number
  /** Ticks that they last together. */
  readonly totalDuration: number
}

/**
 * Lists the pictures of a file's first video track without decoding one: a second of work for an hour.
 *
 * @throws {StreamError} `VIDEO_NOT_FOUND`, `VIDEO_NOT_A_FILE`, `VIDEO_EMPTY`, `VIDEO_UNREADABLE`,
 * `VIDEO_FORMAT_REFUSED`, `VIDEO_NO_TRACK`, `VIDEO_NO_FRAMES`, `VIDEO_DAMAGED` (cut off before its index),
 * `VIDEO_DECODER_FAILED` (ffmpeg died), `FFMPEG_NOT_FOUND`, `FFMPEG_TOO_OLD`, `ABORTED`.
 */
export async function readVideoTrack(path: string, signal: AbortSignal): Promise<VideoTrack> {
  return (await listVideo(path, signal)).track
}

/**
 * As `readVideoTrack`, and says what the container tells.
 *
 * @throws {StreamError} As `readVideoTrack`.
 */
export async function listVideo(path: string, signal: AbortSignal): Promise<VideoListing> {
  await expectVideoFile(path)
  throwIfAborted(signal, `Reading ${path}`)
  const header = new ContainerHeaderReader()
  const run = startFfmpeg({
    path,
    inputOptions: ['-copyts'],
    outputOptions: LIST_PACKETS_OPTIONS,
    onLine: (line) => {
      header.add(line)
    },
  })
  signal.addEventListener('abort', run.kill, { once: true })
  try {
    const packets = await readPackets(linesOf(run.output))
    const end = await run.ended
    // Killed by the abort, ffmpeg looks as if it had died of itself.
    throwIfAborted(signal, `Reading ${path}`)
    if (packets.totalPackets === 0) throw listingError(path, end)
    const failure = endError(path, end)
    if (failure !== undefined) throw failure
    if (packets.dts.length === 0) throw noPicturesError(path)
    const { totalPackets, totalDuration, keyPts, keyDts } = packets
    const keyframes = keyPts.map((pts, place) => ({ pts, dts: keyDts[place] ?? pts }))
    return { track: trackOf(path, packets, header.header), header: header.header, keyframes, totalPackets, totalDuration }
  } finally {
    signal.removeEventListener('abort', run.kill)
    run.kill()
  }
}

function trackOf(path: string, packets: PacketList, header: ContainerHeader): VideoTrack {
  const times = displayTimes(packets)
  const [firstTicks = 0] = times.values
  const { numerator, denominator } = packets.timeBase
  return {
    path,
    pixels: packets.pixels,
    timeBase: packets.timeBase,
    ticks: times.values.map((time) => time - firstTicks),
    firstTicks,
    keyTicks: packets.keyPts.map((time) => time - firstTicks).sort(ascending),
    hasTimestamps: times.areExact,
    averageFps: averageFps(packets, header),
    startSeconds: header.startSeconds,
    presentSeconds: packets.endSeconds - Math.min(header.startSeconds, (firstTicks * numerator) / denominator),
    announcedSeconds: header.durationSeconds,
    isLastCut: packets.isLastCut,
  }
}

/** The times in display order: those of display, else (none, or two pictures at once) those of decoding. */
function displayTimes({ pts, dts }: PacketList): { values: readonly number[]; areExact: boolean } {
  const shown = pts === undefined ? [] : [...pts].sort(ascending)
  const isKnown = shown.length > 0 && shown.every((time, place) => time !== shown[place - 1])
  return isKnown ? { values: shown, areExact: true } : { values: [...dts].sort(ascending), areExact: false }
}

function ascending(left: number, right: number): number {
  return left - right
}

/** A time in ticks as milliseconds, rounded to whole microseconds. */
export function ticksToMs(ticks: number, { numerator, denominator }: Rational): number {
  return Math.round((ticks * numerator * 1e6) / denominator) / 1000
}
