import { PassThrough } from 'node:stream'

import ffmpeg from 'fluent-ffmpeg'

import { StreamError, abortError } from '../../errors.js'
import { FORMAT_ALLOW_LIST } from './container-formats.js'
import { endWithProcess } from './end-with-process.js'
import { findFfmpeg } from './ffmpeg-binary.js'
import { reportFailedStarts } from './fluent-ffmpeg-repair.js'
import { redactStart } from '../redact.js'

/** Lines of stderr that are kept for messages. */
const KEPT_LINES = 20
/** A line longer than this is cut: damaged metadata can be of any length. */
const MAX_LINE_LENGTH = 300

/** Where ffmpeg reads from when it isn't a file: an address, and all that it may use for it. */
export interface NetworkInput {
  /** The address. Whoever lists processes can read it: no login belongs in it. */
  readonly url: string
  /** ffmpeg's protocols that may be used, also by what the address leads to. */
  readonly protocols: readonly string[]
  /** The one demuxer that may be chosen. */
  readonly format: string
}

/** One run of ffmpeg over one input, its result on stdout. */
export type FfmpegJob = FfmpegOptions & (FileInput | { readonly network: NetworkInput })

interface FileInput {
  /** Absolute path of the file. */
  readonly path: string
}

/** What ffmpeg is to do with its input. */
export interface FfmpegOptions {
  /** Options before `-i`, one element a word. */
  readonly inputOptions: readonly string[]
  /** Options after `-i`, one element a word, without the output itself. */
  readonly outputOptions: readonly string[]
  /** Told each line of stderr as it comes, in the form `[level] text` or `[part @ address] [level] text`. */
  readonly onLine?: (line: string) => void
}

/** How a run ended. */
export interface FfmpegEnd {
  /** 0 where all went well by its own account; undefined where a signal ended it; 255 where it caught the signal. */
  readonly exitCode: number | undefined
  /** The last lines it wrote to stderr, oldest first, without logins; at most 20. */
  readonly lastLines: readonly string[]
}

/** A running ffmpeg. */
export interface FfmpegRun {
  /** Its stdout. Left unread, the pipe fills and ffmpeg waits: that is the backpressure. */
  readonly output: AsyncIterable<Uint8Array>
  /**
   * Resolves once the process is gone (after `kill`: is going). Where it can't be started, rejects with
   * `FFMPEG_NOT_FOUND` (the binary is none) or `VIDEO_DECODER_FAILED` (no process or memory is left).
   */
  readonly ended: Promise<FfmpegEnd>
  /** Ends the process at once; reading on then fails with `ABORTED`. Harmless when it is gone already. */
  readonly kill: () => void
}

/**
 * Starts ffmpeg on a file or an address. It ends with this process, if not before.
 *
 * A file can't make it open anything else: only the `file` protocol is allowed, only containers that hold
 * their media themselves, and the path is never taken for an address or a pattern. An address is opened with
 * the protocols and the format named beside it, and no file can be reached from it.
 *
 * @throws {StreamError} `FFMPEG_NOT_FOUND`.
 */
export function startFfmpeg(job: FfmpegJob): FfmpegRun {
  const lastLines = new LastLines(job.onLine)
  // fluent-ffmpeg kills ffmpeg when the target closes, also when it closes because all went well. Without
  // the `close` event only the end of stdout and the end of the process count.
  const output = new PassThrough({ emitClose: false })
  const command = reportFailedStarts(ffmpeg({ source: sourceOf(job), stdoutLines: KEPT_LINES }))
    .setFfmpegPath(findFfmpeg())
    .inputOptions(...QUIET_OPTIONS, ...safeOptions(job), ...job.inputOptions)
    .outputOptions(...job.outputOptions)
    .on('stderr', (line: string) => {
      lastLines.add(line)
    })

  const starting = new Starting(command, output)
  const kill = (): void => {
    starting.kill()
  }
  const forget = endWithProcess(kill)
  const ended = endOf(command, { lastLines, starting }).finally(forget)
  // Where it could not be started there is no end of stdout to wait for.
  ended.catch((error: unknown) => output.destroy(error as Error))
  command.pipe(output)
  return { output, ended, kill }
}

const QUIET_OPTIONS = ['-hide_banner', '-nostdin', '-nostats', '-loglevel', 'level+info']

function sourceOf(job: FfmpegJob): string {
  return 'network' in job ? job.network.url : `file:${job.path}`
}

/** What the input may make ffmpeg open. */
function safeOptions(job: FfmpegJob): readonly string[] {
  if (!('network' in job)) return ['-protocol_whitelist', 'file', '-format_whitelist', FORMAT_ALLOW_LIST]
  const { protocols, format } = job.network
  return ['-protocol_whitelist', protocols.join(','), '-format_whitelist', format, '-f', format]
}

/** Knows whether a command's process is there yet, and kills it also where it is only about to be. */
class Starting {
  readonly #command: ffmpeg.FfmpegCommand
  readonly #output: PassThrough
  isStarted = false
  isKilled = false

  constructor(command: ffmpeg.FfmpegCommand, output: PassThrough) {
    this.#command = command
    this.#output = output
    // Whoever reads on hears of the end; when nobody does, it is no news.
    output.on('error', () => undefined)
    command.on('start', () => {
      this.isStarted = true
      if (this.isKilled) this.kill()
    })
  }

  kill(): void {
    this.isKilled = true
    this.#output.destroy(abortError('ffmpeg'))
    if (this.isStarted) this.#command.kill('SIGKILL')
  }
}

function endOf(
  command: ffmpeg.FfmpegCommand,
  { lastLines, starting }: { lastLines: LastLines; starting: Starting },
): Promise<FfmpegEnd> {
  return new Promise((resolve, reject) => {
    command.on('end', () => {
      resolve({ exitCode: 0, lastLines: lastLines.lines })
    })
    command.on('error', (error: Error) => {
      const [isEnd, code] = /^ffmpeg (?:exited with code (\d+)|was killed)/.exec(error.message) ?? []
      // Killed, it may report the closed output first: the process is on its way out.
      if (starting.isKilled || (isEnd !== undefined && starting.isStarted)) {
        resolve({ exitCode: code === undefined ? undefined : Number(code), lastLines: lastLines.lines })
      } else {
        reject(startError(error))
      }
    })
  })
}

/** A binary that is none won't become one; for want of processes or memory it may be worth another try. */
function startError(error: Error): StreamError {
  const isBinary = ['ENOENT', 'EACCES', 'ENOEXEC'].includes((error as NodeJS.ErrnoException).code ?? '')
  const code = isBinary ? 'FFMPEG_NOT_FOUND' : 'VIDEO_DECODER_FAILED'
  return new StreamError(code, `ffmpeg can't be started: ${error.message}.`, { cause: error })
}

/** Keeps the last few lines, fit to be shown. */
class LastLines {
  readonly lines: string[] = []
  readonly #onLine: ((line: string) => void) | undefined

  constructor(onLine: ((line: string) => void) | undefined) {
    this.#onLine = onLine
  }

  add(line: string): void {
    const text = redactStart(line, MAX_LINE_LENGTH)
    if (text.trim() === '') return
    this.lines.push(text)
    if (this.lines.length > KEPT_LINES) this.lines.shift()
    this.#onLine?.(text)
  }
}
