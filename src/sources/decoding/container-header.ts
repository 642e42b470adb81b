/** What ffmpeg says about a file before it starts, as far as it can't be counted from the packets. */
export interface ContainerHeader {
  /** Names of the container's format, e.g. `mov,mp4,m4a,3gp,3g2,mj2`; empty where none was recognised. */
  readonly format: string
  /** Timestamp that seeking counts from, in seconds; 0 where none is given. */
  readonly startSeconds: number
  /** Length that the container announces, in seconds; undefined where it doesn't. */
  readonly durationSeconds: number | undefined
  /** Average frame rate as printed, with at most two decimals; undefined where none is known. */
  readonly printedFps: number | undefined
  /** The rate at which every picture has its own tick, as printed (`tbr`); undefined where none is known. */
  readonly printedBaseRate: number | undefined
}

/**
 * Reads the header that ffmpeg prints, line by line:
 *
 * ```
 * [info] Input #0, mov,mp4,m4a,3gp,3g2,mj2, from 'file:/clip.mp4':
 * [info]   Duration: 00:00:05.00, start: 0.000000, bitrate: 678 kb/s
 * [info]   Stream #0:0[0x1](und): Video: h264 (High) (avc1 / 0x31637661), yuv420p, 640x360, 675 kb/s, 25 fps, 25 tbr, …
 * ```
 */
export class ContainerHeaderReader {
  #format = ''
  #startSeconds = 0
  #durationSeconds: number | undefined
  #printedFps: number | undefined
  #printedBaseRate: number | undefined

  /** Takes in one line; lines of another kind change nothing. */
  add(line: string): void {
    const input = /Input #0, (\S+), from /.exec(line)
    if (input?.[1] !== undefined) this.#format = input[1]
    const duration = /Duration: (\d+):(\d\d):(\d\d\.\d+),/.exec(line)
    if (duration !== null) {
      const [hours, minutes, seconds] = duration.slice(1).map(Number) as [number, number, number]
      this.#durationSeconds ??= hours * 3600 + minutes * 60 + seconds
    }
    const start = /Duration: [^,]+, start: (-?\d+\.\d+)/.exec(line)
    if (start !== null) this.#startSeconds = Number(start[1])
    // Of several video streams the first counts: it is the one that is read. Cover pictures are not.
    if (!line.includes(' Video: ') || line.includes('(attached pic)')) return
    this.#printedFps ??= rateIn(line, 'fps')
    this.#printedBaseRate ??= rateIn(line, 'tbr')
  }

  get header(): ContainerHeader {
    return {
      format: this.#format,
      startSeconds: this.#startSeconds,
      durationSeconds: this.#durationSeconds,
      printedFps: this.#printedFps,
      printedBaseRate: this.#printedBaseRate,
    }
  }
}

/** The number before a unit, e.g. `29.97 fps` or `90k tbr`. */
function rateIn(line: string, unit: string): number | undefined {
  const rate = new RegExp(`, (\\d+(?:\\.\\d+)?)(k?) ${unit}`).exec(line)
  return rate === null ? undefined : Number(rate[1]) * (rate[2] === 'k' ? 1000 : 1)
}
