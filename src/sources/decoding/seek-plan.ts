import type { VideoTrack } from './video-track.js'

/**
 * Seconds of work on one core, measured on an EPYC (Zen 4) with Debian's ffmpeg 5.1 and H.264: to start a
 * decoder and seek, to decode a picture of any size, and to decode a pixel. Only their proportions matter.
 */
const COST = { start: 0.25, picture: 0.00015, pixel: 1 / 240e6 } as const

/** Settings of `planDecoding`. */
export interface PlanOptions {
  /**
   * What starting another decoder costs, in pictures that could be decoded meanwhile; `-Infinity` seeks for
   * each picture, `Infinity` decodes everything in one run.
   *
   * @default `startCostOf(track)`: some 1,700 tiny pictures, 220 of 640 x 360, 28 of 1080p
   */
  readonly startCost?: number
  /**
   * How many keyframes *before* the last one at or before a picture a decoder is started at; `Infinity` at the
   * beginning of the file.
   *
   * @default 1
   */
  readonly lead?: number
}

/** More spans of wanted pictures than this in one filter expression would make the command line too long. */
const MAX_SPANS_A_JOB = 500

/** One picture to be had. */
export interface WantedPicture {
  /** Its place in display order. */
  readonly index: number
  /** How many times in a row it is to be handed out. */
  readonly times: number
}

/** One run of a decoder, from a seek point over the pictures it is to give. */
export interface DecodeJob {
  /** What to give to `-ss`, in seconds from the container's start; undefined to read from the beginning. */
  readonly seekSeconds: number | undefined
  /** In display order; at least one. */
  readonly pictures: readonly WantedPicture[]
  /** Pictures the decoder has to go through, a fair estimate. */
  readonly decodedPictures: number
}

/**
 * Plans how to get the wanted pictures with the least decoding, exactly.
 *
 * Neighbours share a run of the decoder unless a new start, with its seek, is cheaper than decoding the
 * pictures between them. So a short video or a dense choice comes out as one decode from the beginning.
 *
 * A run seeks to one keyframe (see `lead`) *before* the last keyframe at or before its first picture: what follows a
 * keyframe in the file can be shown before it and need the one before (open GOP), and after a seek the
 * decoder's first pictures may be incomplete. Within the first two keyframes there is nothing to seek.
 *
 * @param indices Places of the wanted pictures, ascending, with repeats; at least one.
 */
export function planDecoding(
  track: VideoTrack,
  indices: readonly number[],
  { startCost = startCostOf(track), lead = 1 }: PlanOptions = {},
): DecodeJob[] {
  const keyframes = track.keyTicks.map((ticks) => firstAtOrAfter(track.ticks, ticks))
  const startOf = (index: number): DecoderStart => (track.hasTimestamps ? startBefore(keyframes, { index, lead }) : BEGINNING)
  const groups: Group[] = []
  for (const picture of countRepeats(indices)) {
    const group = groups.at(-1)
    const skipped = picture.index - (group?.pictures.at(-1)?.index ?? -Infinity) - 1
    const restart = startCost + picture.index - startOf(picture.index).index
    const isCheaperOn = skipped + 1 <= restart && (skipped === 0 || (group?.spans ?? 0) < MAX_SPANS_A_JOB)
    if (group === undefined || (track.hasTimestamps && !isCheaperOn)) {
      groups.push({ pictures: [picture], spans: 1 })
    } else {
      group.pictures.push(picture)
      if (skipped > 0) group.spans += 1
    }
  }
  return groups.map(({ pictures }) => jobOf(track, pictures, startOf(pictures[0]?.index ?? 0)))
}

/** Pictures that one run of a decoder is to give. */
interface Group {
  readonly pictures: WantedPicture[]
  /** In how many stretches without a gap they lie. */
  spans: number
}

/** What starting a decoder costs, in pictures of this track. */
export function startCostOf({ pixels }: Pick<VideoTrack, 'pixels'>): number {
  return COST.start / (COST.picture + COST.pixel * pixels)
}

function jobOf(track: VideoTrack, pictures: readonly WantedPicture[], start: DecoderStart): DecodeJob {
  const last = pictures.at(-1)?.index ?? 0
  return {
    seekSeconds: start.place === undefined ? undefined : seekSeconds(track, track.keyTicks[start.place] ?? 0),
    pictures,
    decodedPictures: last - start.index + 1,
  }
}

/** Where a decoder starts: the keyframe by its place in the list, and the picture that it shows. */
interface DecoderStart {
  readonly place: number | undefined
  readonly index: number
}

const BEGINNING: DecoderStart = { place: undefined, index: 0 }

/** Where to start decoding for a picture. */
function startBefore(keyframes: readonly number[], { index, lead }: { readonly index: number; readonly lead: number }): DecoderStart {
  const place = firstAtOrAfter(keyframes, index + 1) - 1 - lead
  return place < 1 ? BEGINNING : { place, index: keyframes[place] ?? 0 }
}

/** A millisecond late, so that rounding can't make it miss the keyframe and take the one before. */
function seekSeconds(track: VideoTrack, keyTicks: number): number {
  const { numerator, denominator } = track.timeBase
  return ((keyTicks + track.firstTicks) * numerator) / denominator - track.startSeconds + 0.001
}

function countRepeats(indices: readonly number[]): WantedPicture[] {
  const times = new Map<number, number>()
  for (const index of indices) times.set(index, (times.get(index) ?? 0) + 1)
  return [...times].map(([index, count]) => ({ index, times: count }))
}

/** Place of the first value >= `wanted` in an ascending list; the list's length where there is none. */
function firstAtOrAfter(values: readonly number[], wanted: number): number {
  let low = 0
  let high = values.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((values[middle] ?? Infinity) < wanted) low = middle + 1
    else high = middle
  }
  return low
}
