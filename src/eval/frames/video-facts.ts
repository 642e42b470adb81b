import type { VideoListing } from '../../sources/decoding/video-track.js'

/** What the reference's decoders (PyAV, decord) know of a video before it is decoded. */
export interface VideoFacts {
  /** When each picture is shown, in ticks as the container has them, ascending; at least one. */
  readonly pts: readonly number[]
  /** The keyframes, ascending. */
  readonly keyframes: readonly SeekPoint[]
  /** Seconds of one tick. */
  readonly timeBase: { readonly numerator: number; readonly denominator: number }
  /** Frames for each second, on average. */
  readonly averageFps: number
  /** Whether average and base rate differ: the reference then takes the video for one of variable rate. */
  readonly isVariable: boolean
  /** Number of frames that the container's header tells; 0 where it tells none (Matroska, WebM, MPEG-TS). */
  readonly headerFrames: number
  /** Length of the video track by the header, in ticks. */
  readonly headerTicks: number
}

/** A keyframe, in ticks as the container has them. */
export interface SeekPoint {
  /** When it is shown. */
  readonly pts: number
  /** The first time whose seek leads here. Earlier than `pts` where pictures that follow in the file are shown before it. */
  readonly from: number
}

/** Containers whose header counts the frames of a track. */
const COUNTING_FORMATS = ['mov', 'avi']

/** Reads the facts out of a file's listing. */
export function videoFacts(listing: VideoListing): VideoFacts {
  const { track, header, totalPackets } = listing
  const isCounted = COUNTING_FORMATS.some((format) => header.format.startsWith(format))
  return {
    pts: track.ticks.map((ticks) => ticks + track.firstTicks),
    keyframes: seekPoints(listing),
    timeBase: track.timeBase,
    averageFps: track.averageFps,
    isVariable: !isBaseRate(track.averageFps, header),
    headerFrames: isCounted ? totalPackets : 0,
    headerTicks: shownTicks(listing),
  }
}

/** Of a track that an edit list cuts, the packets last longer than what is shown. */
function shownTicks({ track, header, totalDuration }: VideoListing): number {
  const { numerator, denominator } = track.timeBase
  const announced = header.durationSeconds === undefined ? Infinity : (header.durationSeconds * denominator) / numerator
  return Math.min(totalDuration, announced)
}

/**
 * Where seeks lead to. ffmpeg's reader of MP4 seeks by the time of decoding: it takes off the delay between decoding and
 * showing of the first picture where an edit list has taken that off, too. So in an open group of pictures, or without
 * an edit list, a time shortly before a keyframe leads to that keyframe, and not to the one before.
 */
function seekPoints({ header, keyframes }: VideoListing): readonly SeekPoint[] {
  const points = [...keyframes].sort((left, right) => left.pts - right.pts)
  const [first] = points
  if (first === undefined || !header.format.startsWith('mov')) return points.map(({ pts }) => ({ pts, from: pts }))
  const delay = first.dts === 0 ? 0 : first.pts - first.dts
  return points.map(({ pts, dts }) => ({ pts, from: dts + delay }))
}

/**
 * Whether the average rate is the base rate. ffmpeg prints both with two decimals; of a rate that is usual (whole, or
 * whole slowed down by 1001/1000) the exact value is known, and a file that only comes near it is one of variable rate.
 */
function isBaseRate(averageFps: number, { printedFps, printedBaseRate }: VideoListing['header']): boolean {
  if (printedBaseRate === undefined) return true
  if (printedFps !== printedBaseRate) return false
  const slowed = (Math.round(printedBaseRate * 1.001) * 1000) / 1001
  const usual = Number.isInteger(printedBaseRate) ? printedBaseRate : slowed
  const isUsual = Math.abs(usual - printedBaseRate) < 0.005
  return !isUsual || Math.abs(averageFps - usual) < 1e-9 * usual
}
