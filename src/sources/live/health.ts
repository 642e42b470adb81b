import type { MediaSpan, StreamHealth } from '../../types.js'

/** A silence of the camera shorter than this is its rhythm, not a loss: no camera keeps its rate exactly. */
const SHORTEST_GAP_MS = 1000
/** How far back gaps are known, in milliseconds of media time: longer than any window that fits in memory. */
const KEPT_MS = 3_600_000
/** What is looked at unless told otherwise. */
const LAST_MINUTE_MS = 60_000

/** Wanted pictures that never came. */
interface Gap {
  readonly startMs: number
  readonly endMs: number
}

/**
 * Knows when one run of a live stream gave no picture although some were wanted: lost packets, a stall.
 *
 * Memory: the gaps of the last hour, each longer than a second.
 */
export class LiveHealth {
  #gaps: Gap[] = []
  #lastMs: number | undefined
  readonly #wantedFps: number

  /** @param wantedFps Pictures wanted for each second of media time; 0 where that isn't known, and none is ever missing. */
  constructor(wantedFps: number) {
    this.#wantedFps = wantedFps
  }

  /** Takes in the media time of a wanted picture; never falls. */
  add(ptsMs: number): void {
    const startMs = this.#lastMs
    this.#lastMs = ptsMs
    if (startMs === undefined) return
    this.#gaps = this.#gaps.filter(({ endMs }) => endMs > ptsMs - KEPT_MS)
    const isGap = ptsMs - startMs >= SHORTEST_GAP_MS && this.#missing({ startMs, endMs: ptsMs }) > 0
    if (isGap) this.#gaps.push({ startMs, endMs: ptsMs })
  }

  /** How much of a stretch came; of the last minute where none is named. */
  health(span: MediaSpan = this.#lastMinute()): StreamHealth {
    const missing = this.#gaps
      .filter(({ startMs, endMs }) => startMs < span.endMs && endMs > span.startMs)
      .map((gap) => this.#missing({ startMs: Math.max(gap.startMs, span.startMs), endMs: Math.min(gap.endMs, span.endMs) }))
      .reduce((sum, count) => sum + count, 0)
    if (missing === 0) return { coverage: 1, warnings: [] }
    const wanted = Math.round(((span.endMs - span.startMs) * this.#wantedFps) / 1000) + 1
    const coverage = Math.floor(Math.max(0, 1 - missing / wanted) * 1e4) / 1e4
    return { coverage, warnings: [`${missing} of ${wanted} wanted frames never came from the camera.`] }
  }

  /** Pictures that were due between two that came. */
  #missing({ startMs, endMs }: Gap): number {
    return Math.max(0, Math.round(((endMs - startMs) * this.#wantedFps) / 1000) - 1)
  }

  #lastMinute(): MediaSpan {
    const endMs = this.#lastMs ?? 0
    return { startMs: Math.max(0, endMs - LAST_MINUTE_MS), endMs }
  }
}
