import { CutShortError } from './nut/bytes-reader.js'
import { type DecoderOptions, decoderArguments } from './decoder-options.js'
import { type FfmpegEnd, type FfmpegRun, startFfmpeg } from './ffmpeg.js'
import { readNut } from './nut/nut.js'
import type { NutPicture } from './nut/frame.js'
import type { DecodeJob } from './seek-plan.js'
import { passedRuns, selectFilters, timeBefore } from './select-filter.js'
import { TO_RGB } from './to-rgb.js'
import { brokenOffError, endError } from './video-errors.js'
import type { VideoTrack } from './video-track.js'

/** A wanted picture, decoded. */
export interface DecodedPicture {
  /** Its place in display order. */
  readonly index: number
  /** How many times in a row it is to be handed out. */
  readonly times: number
  readonly width: number
  readonly height: number
  /** RGB, 8 bits a channel, row by row without padding. */
  readonly data: Uint8Array
}

/** Told what a decoder goes through. */
export interface DecodeObserver {
  /** A line of ffmpeg's stderr. */
  line(line: string): void
  /** A decoder came to its end; `missing` of its pictures could not be had. */
  jobEnded(job: DecodeJob, missing: number, end: FfmpegEnd): void
}

/** A decoder at work. */
export interface RunningJob {
  /** The pictures it was to give, as far as it can, in display order. Read once. */
  readonly pictures: AsyncIterable<DecodedPicture>
  /** Ends the decoder at once. Harmless when it has ended. */
  readonly kill: () => void
}

/**
 * Starts the decoder of a job. It works ahead until its pipe is full, a fraction of one picture, and waits.
 *
 * The pictures error with `VIDEO_DECODER_FAILED` where ffmpeg dies or is ended by a signal, and with
 * `FFMPEG_TOO_OLD` where it doesn't know an option. Damaged data is no error: pictures that
 * can't be decoded are missing, and the observer is told.
 */
export function startJob(
  track: VideoTrack,
  job: DecodeJob,
  { observer, decoder }: { readonly observer: DecodeObserver; readonly decoder: DecoderOptions },
): RunningJob {
  const run = startFfmpeg({
    path: track.path,
    inputOptions: [...decoderArguments(decoder), ...seekOptions(job), '-copyts'],
    outputOptions: [
      ...['-map', '0:V:0', '-vf', [...selectFilters(track, job), ...TO_RGB].join(',')],
      // Every picture as it is, none dropped or doubled, with its own time.
      ...['-fps_mode', 'passthrough'],
      ...['-enc_time_base', `${track.timeBase.numerator}/${track.timeBase.denominator}`],
      ...['-c:v', 'rawvideo', '-f', 'nut'],
    ],
    onLine: (line) => {
      observer.line(line)
    },
  })
  return { pictures: readJob(run, { track, job, observer }), kill: run.kill }
}

function seekOptions({ seekSeconds }: DecodeJob): string[] {
  return seekSeconds === undefined ? [] : ['-noaccurate_seek', '-ss', seekSeconds.toFixed(6)]
}

interface JobContext {
  readonly track: VideoTrack
  readonly job: DecodeJob
  readonly observer: DecodeObserver
}

async function* readJob(run: FfmpegRun, { track, job, observer }: JobContext): AsyncGenerator<DecodedPicture> {
  const awaited = new Map(job.pictures.map(({ index, times }) => [index, times]))
  const indexOf = track.hasTimestamps ? indexByTime(track, job) : indexByNumber(job)
  try {
    for await (const picture of readRun(run, track.path)) {
      const index = indexOf(picture)
      const times = awaited.get(index)
      if (times === undefined) continue
      awaited.delete(index)
      yield { index, times, width: picture.width, height: picture.height, data: picture.data }
    }
    const end = await run.ended
    const failure = endError(track.path, end)
    if (failure !== undefined) throw failure
    observer.jobEnded(job, awaited.size, end)
  } finally {
    run.kill()
  }
}

/** The pictures a run writes. Where they break off, its end tells why: what the reader sees is only that. */
async function* readRun(run: FfmpegRun, path: string): AsyncGenerator<NutPicture, void, undefined> {
  try {
    yield* readNut(run.output)
  } catch (error) {
    // Of other errors the process may live on, and would be waited for in vain.
    if (!(error instanceof CutShortError)) throw error
    throw brokenOffError(path, await run.ended, error)
  }
}

/** Finds a picture's place by its time. The pictures of a job come in order. */
function indexByTime(track: VideoTrack, job: DecodeJob): (picture: NutPicture) => number {
  let index = job.pictures[0]?.index ?? 0
  return ({ pts, timeBase }) => {
    const seconds = (pts * timeBase.numerator) / timeBase.denominator
    while (index < track.ticks.length - 1 && seconds >= timeBefore(track, index + 1)) index += 1
    return index
  }
}

/** Finds a picture's place by counting what the filters let through. */
function indexByNumber(job: DecodeJob): () => number {
  const runs = passedRuns(job)
  let place = 0
  let index = (runs[0]?.first ?? 0) - 1
  return () => {
    const run = runs[place]
    if (run !== undefined && index >= run.last) {
      place += 1
      index = runs[place]?.first ?? index + 1
    } else {
      index += 1
    }
    return index
  }
}
