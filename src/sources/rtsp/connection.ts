import { Observable } from 'rxjs'

import { type StreamError, asStreamError } from '../../errors.js'
import { CutShortError } from '../decoding/nut/bytes-reader.js'
import { ContainerHeaderReader } from '../decoding/container-header.js'
import { decoderArguments } from '../decoding/decoder-options.js'
import { type FfmpegEnd, type FfmpegRun, startFfmpeg } from '../decoding/ffmpeg.js'
import { type ArrivedPicture, changedError } from '../live/epochs.js'
import { type LiveSampling, liveFilters } from '../live/sampling.js'
import { readNut } from '../decoding/nut/nut.js'
import type { RtspAddress } from './address.js'
import { connectionError, hasNothingToPlay, redirectedError } from './errors.js'
import { type LiveSign, RTP_TICKS, liveSignOf } from './lines.js'
import { openLoginRelay } from './login-relay.js'
import { TO_RGB } from '../decoding/to-rgb.js'
import { ticksToMs } from '../decoding/video-track.js'

/** How RTP packets come: inside the connection (no loss, passes firewalls), or beside it (no stall on loss). */
export type RtspTransport = 'tcp' | 'udp'

/** What a connection is made with. */
export interface RtspConnectionSettings {
  readonly address: RtspAddress
  readonly transport: RtspTransport
  readonly sampling: LiveSampling
  /** How hardware decodes; checked by `expectHwaccel`. @default none: the processor decodes */
  readonly hwaccel?: string | undefined
  /**
   * Whether sound is asked for, too, and thrown away. Costs its bytes, and lets ffmpeg shift the times of both to
   * match: only to find out whether a server that can't play video alone has any.
   */
  readonly allTracks: boolean
  /**
   * Milliseconds of silence after which the caller ends the connection. ffmpeg itself waits a little longer for the
   * server: for the case that this process is killed and nobody is left to end it.
   */
  readonly silentMs: number
  /** Told the rate that the camera announces, before the first picture; 0 where it announces none. */
  readonly onFps: (fps: number) => void
  /** Told that the server had nothing to play. */
  readonly onNothingToPlay: () => void
}

/**
 * One connection to a camera: a decoder of its own, the wanted pictures (and some more) as they arrive.
 *
 * Cold. Never completes: every end is an error, see `connectionError`. On unsubscribe the decoder is killed.
 */
export function connectRtsp(settings: RtspConnectionSettings): Observable<ArrivedPicture> {
  return new Observable((subscriber) => {
    const stopping = new AbortController()
    const fail = (error: unknown): void => {
      subscriber.error(asStreamError(error, 'VIDEO_DECODER_FAILED', `Reading ${settings.address.shown}`))
    }
    const connection = new Connection(settings, {
      next: (picture) => {
        subscriber.next(picture)
      },
      fail,
    })
    connection.read(stopping.signal).catch((error: unknown) => {
      // What breaks after the unsubscribe was broken on purpose.
      if (!stopping.signal.aborted) fail(error)
    })
    return () => {
      stopping.abort()
    }
  })
}

interface ConnectionTarget {
  readonly next: (picture: ArrivedPicture) => void
  readonly fail: (error: StreamError) => void
}

class Connection {
  readonly #settings: RtspConnectionSettings
  readonly #target: ConnectionTarget
  readonly #header = new ContainerHeaderReader()
  /** Redirects of our own that are still to come. */
  #ownRedirects = 0
  #hadPictures = false

  constructor(settings: RtspConnectionSettings, target: ConnectionTarget) {
    this.#settings = settings
    this.#target = target
  }

  async read(signal: AbortSignal): Promise<never> {
    const { address } = this.#settings
    const relay = address.isSecret ? await openLoginRelay(address.full) : undefined
    let run: FfmpegRun | undefined
    try {
      signal.throwIfAborted()
      this.#ownRedirects = relay === undefined ? 0 : 1
      run = this.#start(relay?.url ?? address.full)
      signal.addEventListener('abort', run.kill, { once: true })
      await this.#readPictures(run)
      throw this.#endError(await run.ended)
    } finally {
      relay?.close()
      if (run !== undefined) signal.removeEventListener('abort', run.kill)
      run?.kill()
    }
  }

  async #readPictures(run: FfmpegRun): Promise<void> {
    try {
      for await (const { pts, timeBase, width, height, data } of readNut(run.output)) {
        if (!this.#hadPictures) this.#settings.onFps(this.#header.header.printedFps ?? 0)
        this.#hadPictures = true
        this.#target.next({ mediaMs: ticksToMs(pts, timeBase), arrivedMs: Date.now(), width, height, data })
      }
    } catch (error) {
      // Cut short in the middle of a picture or between two: an end like any other.
      if (!(error instanceof CutShortError)) throw error
    }
  }

  #start(url: string): FfmpegRun {
    const { address, transport, allTracks, sampling, hwaccel, silentMs } = this.#settings
    const { keyframesOnly = false } = sampling
    return startFfmpeg({
      network: { url, protocols: protocolsOf(address, transport), format: 'rtsp' },
      inputOptions: [
        ...decoderArguments({ keyframesOnly, hwaccel }),
        ...['-rtsp_transport', transport, ...(allTracks ? [] : ['-allowed_media_types', 'video'])],
        ...socketTimeout(silentMs),
        // All pictures of a connection have one size, also where the camera changes it: nothing is ever
        // taken for a picture of another shape until the change is noticed.
        ...['-reinit_filter', '0'],
      ],
      outputOptions: [
        ...['-map', '0:V:0', '-copyts', '-vf', [...liveFilters(sampling), ...TO_RGB].join(',')],
        ...['-fps_mode', 'passthrough', '-enc_time_base', `1/${RTP_TICKS}`],
        // The end of a picture would wait for the next one to push it out.
        ...['-c:v', 'rawvideo', '-flush_packets', '1', '-f', 'nut'],
      ],
      onLine: (line) => {
        this.#header.add(line)
        const sign = liveSignOf(line)
        if (sign !== undefined) this.#see(sign)
      },
    })
  }

  #see(sign: LiveSign): void {
    const { shown } = this.#settings.address
    if (sign === 'size-changed') this.#target.fail(changedError(shown, 'its pictures have another size or form'))
    if (sign === 'time-went-back') this.#target.fail(changedError(shown, 'its time went back'))
    if (sign !== 'redirected') return
    if (this.#ownRedirects === 0) this.#target.fail(redirectedError(shown))
    this.#ownRedirects -= 1
  }

  #endError(end: FfmpegEnd): StreamError {
    if (!this.#hadPictures && hasNothingToPlay(end)) this.#settings.onNothingToPlay()
    return connectionError(this.#settings.address.shown, end, this.#hadPictures)
  }
}

/** How much longer than the caller ffmpeg waits for the server, in milliseconds. */
const GRACE_MS = 5000
/** Where ffmpeg can't count on, in microseconds: about 36 minutes. */
const LONGEST_TIMEOUT_US = 2 ** 31 - 1

/** How long ffmpeg waits for the server; without end where that is longer than it can count. */
function socketTimeout(silentMs: number): readonly string[] {
  const microseconds = Math.round((silentMs + GRACE_MS) * 1000)
  return microseconds > LONGEST_TIMEOUT_US ? [] : ['-timeout', String(microseconds)]
}

/** What a camera may make ffmpeg use: no file, no http. */
function protocolsOf({ isEncrypted }: RtspAddress, transport: RtspTransport): readonly string[] {
  return ['rtsp', 'rtp', 'tcp', ...(transport === 'udp' ? ['udp'] : []), ...(isEncrypted ? ['tls'] : [])]
}
