import type { DecodeJob } from './seek-plan.js'
import type { VideoTrack } from './video-track.js'

/** A span of the filter's variable: from `from` on, up to but without `to`. */
interface Span {
  readonly from: number
  readonly to: number
}

/** A run of neighbouring pictures. */
interface IndexRun {
  readonly first: number
  readonly last: number
}

/** With more spans than this the pictures between are let through too, and thinned afterwards. */
const MAX_SPANS = 500

/**
 * The filters that let through the pictures of a job and nothing behind them, with times counted from the
 * first picture of the video.
 */
export function selectFilters(track: VideoTrack, job: DecodeJob): string[] {
  const runs = passedRuns(job)
  if (!track.hasTimestamps) {
    const spans = runs.map(({ first, last }) => ({ from: first - 0.5, to: last + 0.5 }))
    return [`trim=end_frame=${(runs.at(-1)?.last ?? 0) + 1}`, `select='${selectExpression('n', spans)}'`]
  }
  const spans = runs.map(({ first, last }) => ({ from: timeBefore(track, first), to: timeBefore(track, last + 1) }))
  const end = spans.at(-1)?.to ?? 0
  return [`setpts=PTS-(${track.firstTicks})`, `trim=end=${end.toFixed(6)}`, `select='${selectExpression('t', spans)}'`]
}

/** The runs of pictures that the filters let through: the wanted ones, where there are not too many. */
export function passedRuns({ pictures }: DecodeJob): IndexRun[] {
  const runs: { first: number; last: number }[] = []
  for (const { index } of pictures) {
    const run = runs.at(-1)
    if (run?.last === index - 1) run.last = index
    else runs.push({ first: index, last: index })
  }
  const [first] = runs
  const last = runs.at(-1)
  const areTooMany = first !== undefined && last !== undefined && runs.length > MAX_SPANS
  return areTooMany ? [{ first: first.first, last: last.last }] : runs
}

/** Seconds from the first picture to half-way between a picture and the one before it. */
export function timeBefore(track: VideoTrack, index: number): number {
  const { ticks, timeBase } = track
  const last = ticks.length - 1
  const gap = last === 0 ? 1 : (ticks[Math.max(1, Math.min(index, last))] ?? 0) - (ticks[Math.max(0, Math.min(index, last) - 1)] ?? 0)
  const middle = index > last ? (ticks[last] ?? 0) + gap / 2 : (ticks[index] ?? 0) - gap / 2
  return (middle * timeBase.numerator) / timeBase.denominator
}

/**
 * An expression for ffmpeg's `select` that is not 0 inside the spans.
 *
 * Halves the list at each step: a sum over hundreds of spans, evaluated for each picture of an hour, would
 * cost more than the decoding.
 *
 * @param variable `t`, seconds, or `n`, the picture's number.
 */
export function selectExpression(variable: 't' | 'n', spans: readonly Span[]): string {
  const [span] = spans
  if (span === undefined) return '0'
  if (spans.length === 1) {
    return `gte(${variable},${span.from.toFixed(6)})*lt(${variable},${span.to.toFixed(6)})`
  }
  const middle = Math.floor(spans.length / 2)
  const border = (spans[middle] ?? span).from.toFixed(6)
  const [left, right] = [spans.slice(0, middle), spans.slice(middle)]
  return `if(lt(${variable},${border}),${selectExpression(variable, left)},${selectExpression(variable, right)})`
}
