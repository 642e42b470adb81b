import type { StreamHealth } from '../../types.js'
import type { DecodeObserver } from './decode-job.js'
import type { DecodeJob } from './seek-plan.js'
import { lastComplaint } from './video-errors.js'
import type { VideoTrack } from './video-track.js'

/** A file may be this much shorter than its header says, in seconds, and count as whole: headers round. */
const LENGTH_TOLERANCE_SECONDS = 0.5

/** What ffmpeg 5 to 9 write for each packet or picture that could not be decoded cleanly. */
const DAMAGE = /corrupt decoded frame|Error while decoding stream|Error submitting packet to decoder|Decoding error:/

/**
 * Follows how much of the wanted media could be had.
 *
 * The coverage is the product of two shares, and only ever falls while a file is read:
 *
 * - the length that is there, of the length the container announces (a file that was cut off);
 * - of the wanted pictures, those that came out; or, where that is less, the pictures the decoder went through
 *   without complaint: decoders paper over damage with what was there before, so a picture that came out
 *   needn't be right. Which picture a complaint is about isn't known, so this is an estimate.
 */
export class VideoHealth implements DecodeObserver {
  #lengthShare = 1
  #wanted = 0
  #missing = 0
  #damaged = 0
  #decoded = 0
  readonly #warnings = new Set<string>()

  /** Takes in what is known before decoding. */
  begin(track: VideoTrack, jobs: readonly DecodeJob[]): void {
    this.#wanted = sum(jobs.map(({ pictures }) => pictures.length))
    this.#decoded = decodedBy(jobs)
    const { presentSeconds, announcedSeconds = presentSeconds } = track
    if (announcedSeconds - presentSeconds > LENGTH_TOLERANCE_SECONDS) {
      this.#lengthShare = Math.max(0, presentSeconds / announcedSeconds)
      this.#warnings.add(
        `The file is cut off: it ends after ${presentSeconds.toFixed(1)} of ${announcedSeconds.toFixed(1)} seconds.`,
      )
    } else if (track.isLastCut) {
      this.#warnings.add('The file ends in the middle of its last picture, which is left out.')
    }
  }

  /** Takes in that wanted pictures are decoded once more, and a sentence that says why. */
  readAgain(jobs: readonly DecodeJob[], warning: string): void {
    this.#decoded += decodedBy(jobs)
    this.warn(warning)
  }

  /** Takes in a sentence about what was wanted and had otherwise. */
  warn(warning: string): void {
    this.#warnings.add(warning)
  }

  line(line: string): void {
    if (!DAMAGE.test(line)) return
    this.#damaged += 1
    this.#warnings.add('The file is damaged: the decoder could not read some of its pictures cleanly.')
  }

  jobEnded(...[, missing, end]: Parameters<DecodeObserver['jobEnded']>): void {
    this.#missing += missing
    if (missing > 0) this.#warnings.add('The file is damaged: some of the wanted pictures could not be decoded.')
    if (end.exitCode !== 0) this.#warnings.add(`The decoder gave up before the end: ${lastComplaint(end)}.`)
  }

  health(): StreamHealth {
    const cameOut = this.#wanted === 0 ? 1 : 1 - this.#missing / this.#wanted
    const clean = this.#decoded === 0 ? 1 : Math.max(0, 1 - this.#damaged / this.#decoded)
    // Rounded down: what isn't whole must not look so.
    const coverage = Math.floor(this.#lengthShare * Math.min(cameOut, clean) * 1e4) / 1e4
    return { coverage, warnings: [...this.#warnings] }
  }
}

function decodedBy(jobs: readonly DecodeJob[]): number {
  return sum(jobs.map(({ decodedPictures }) => decodedPictures))
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
