import { Observable, Subject, concat, defer, filter, map, of, takeWhile, throwError, timeout } from 'rxjs'

import { createLedger } from '../ledger.js'
import type { Frame } from '../types.js'
import { expectHwaccel } from './decoding/hwaccel.js'
import { LiveEpochs } from './live/epochs.js'
import { type LivePicture, liveFrames } from './live/frames.js'
import { whileResumed } from './live/pause.js'
import { type ReconnectAttempt, reconnecting } from './live/reconnect.js'
import { type RtspAddress, readRtspAddress } from './rtsp/address.js'
import { connectRtsp } from './rtsp/connection.js'
import { silentError } from './rtsp/errors.js'
import { type RtspOptions, type RtspSettings, checkRtspOptions } from './rtsp/settings.js'
import type { FrameStream, Source, SourceNotice } from './source.js'

/**
 * Reads a live camera (RTSP) without end. One stream.
 *
 * - **Lost connections** are made anew without limit by default, with growing, jittered delays. ffmpeg's word that
 *   all is well isn't trusted: every end is a loss, and a watchdog of our own ends a decoder that falls silent.
 *   Refused logins, streams without video and redirects end the stream; a path that isn't there (404) is tried
 *   again, because cameras that start up answer so.
 * - **Epochs.** Each connection begins a new one, with index and media time from 0 and a `StreamInfo` of its own:
 *   no window spans a gap, unless `bridgeGapsMs` asks for it. So does a stream that changes in the middle: its picture size, codec or clock. Pictures
 *   lost inside an epoch lower the `coverage` of the clip.
 * - **Time.** `ptsMs` is the camera's own media time; `capturedAt` is estimated from arrival, see `LiveClock`.
 * - **Load.** What the pipeline can't take in time is dropped by `whenFull`, and counted in the ledger
 *   (`dropped: { 'buffer-full': … }`). Memory: `bufferFrames + maxFramesInFlight` pictures.
 * - **Pause** (of the stream's ledger) closes the connection; resumed, a new one begins.
 * - **Logins** are shown nowhere: neither in messages and ids, nor in ffmpeg's arguments.
 *
 * `notices` of the stream tells of `epoch`, `reconnect` (`attempt`, `delayMs`, `code`) and `frozen`.
 *
 * The frames error with `RTSP_UNAUTHORIZED`, `RTSP_NO_VIDEO`, `RTSP_REDIRECTED`, `LIVE_BUFFER_FULL`,
 * `FFMPEG_NOT_FOUND`, `FFMPEG_TOO_OLD` or `HWACCEL_UNAVAILABLE`; with a finite `maxAttempts` also with `RTSP_UNREACHABLE`,
 * `RTSP_DISCONNECTED`, `RTSP_SILENT`, `RTSP_FROZEN`, `RTSP_CHANGED` or `VIDEO_DECODER_FAILED`.
 *
 * @example
 * ```ts
 * rtsp('rtsp://10.0.0.7/live', { id: 'door', userEnv: 'DOOR_USER', passwordEnv: 'DOOR_PASSWORD', sampling: byFps(2) })
 * ```
 * @param address `rtsp://…` or `rtsps://…`, with or without a login.
 * @throws {StreamError} `SETTING_INVALID`.
 */
export function rtsp(address: string | URL, options: RtspOptions = {}): Source {
  const settings = checkRtspOptions(options)
  const camera = readRtspAddress(address, settings.login)
  const id = settings.id ?? camera.name
  return { kind: 'rtsp', id, streams: defer(() => of(rtspStream(id, camera, settings))) }
}

function rtspStream(id: string, address: RtspAddress, settings: RtspSettings): FrameStream {
  const { sampling, hwaccel, frozenAfterMs, bridgeGapsMs, durationMs, questions } = settings
  const ledger = createLedger()
  const notices = new Subject<SourceNotice>()
  const epochs = new LiveEpochs({
    ...{ id, kind: 'rtsp', isLive: durationMs === undefined, ledger, sampling, frozenAfterMs, bridgeGapsMs },
    ...(questions === undefined ? {} : { questions }),
    notify: (notice) => {
      notices.next(notice)
    },
  })
  const onReconnect = ({ attempt, delayMs, error }: ReconnectAttempt): void => {
    const fields = { streamId: id, attempt, delayMs, code: error.code, reason: error.message }
    notices.next({ kind: 'reconnect', message: 'a live stream was lost and is opened again', fields })
  }
  const connected = connections(address, settings, epochs).pipe(
    reconnecting(settings.reconnect, { onReconnect }),
    whileResumed(ledger),
  )
  const pictures = hwaccel === undefined ? connected : concat(hwaccelThere(hwaccel), connected)
  const frames: Observable<Frame> = liveFrames(untilMediaTime(pictures, durationMs), { ledger, ...settings })
  return { info: epochs.info, frames, notices: notices.asObservable() }
}

/** Completes once a way to decode by hardware was found to work; errors where it doesn't. Stops looking on unsubscribe. */
function hwaccelThere(method: string): Observable<never> {
  return new Observable((subscriber) => {
    const stopping = new AbortController()
    expectHwaccel(method, stopping.signal).then(
      () => {
        subscriber.complete()
      },
      (error: unknown) => {
        // Unsubscribed, there is nobody to tell.
        if (!stopping.signal.aborted) subscriber.error(error)
      },
    )
    return () => {
      stopping.abort()
    }
  })
}

/** A new connection at each subscription; its wanted pictures. */
function connections(address: RtspAddress, settings: RtspSettings, epochs: LiveEpochs): Observable<LivePicture> {
  const { sampling, hwaccel, transport, noFrameTimeoutMs } = settings
  // Between two wanted pictures the decoder gives none.
  const silentMs = noFrameTimeoutMs + (sampling.kind === 'fps' ? 1000 / sampling.fps : 0)
  let allTracks = false
  return defer(() => {
    epochs.connect()
    return connectRtsp({
      ...{ address, transport, sampling, hwaccel, allTracks, silentMs },
      onFps: (fps) => {
        epochs.announceFps(fps)
      },
      onNothingToPlay: () => {
        allTracks = true
      },
    })
  }).pipe(
    timeout({ each: silentMs, with: () => throwError(() => silentError(address.shown, silentMs, sampling)) }),
    map((picture) => epochs.take(picture)),
    filter((picture) => picture !== undefined),
  )
}

/** Completes once so much media time has passed, over all epochs. */
function untilMediaTime(pictures: Observable<LivePicture>, durationMs = Infinity): Observable<LivePicture> {
  if (durationMs === Infinity) return pictures
  return defer(() => {
    let passedMs = 0
    let last: LivePicture | undefined
    return pictures.pipe(
      takeWhile((picture) => {
        if (last !== undefined && last.stream !== picture.stream) passedMs += last.ptsMs
        last = picture
        return passedMs + picture.ptsMs < durationMs
      }),
    )
  })
}
