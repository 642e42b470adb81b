import { StreamError } from '../../errors.js'
import type { Ledger } from '../../ledger.js'
import { createFpsRule } from '../../sampling/by-fps.js'
import type { Question, StreamInfo } from '../../types.js'
import { LiveClock } from './clock.js'
import type { LivePicture } from './frames.js'
import { FrozenPicture } from './frozen.js'
import { LiveHealth } from './health.js'
import type { LiveSampling } from './sampling.js'
import { ThinnedEstimate } from './thinned.js'
import type { SourceNotice } from '../source.js'

/** Media time may run ahead of arrival by this much more than before, in milliseconds, and count as even. */
const JUMP_MS = 10_000

/** A decoded picture of a live stream, as it arrived. */
export interface ArrivedPicture {
  /** The stream's own time in milliseconds, from wherever it counts. */
  readonly mediaMs: number
  /** Wall-clock time of its arrival in milliseconds. */
  readonly arrivedMs: number
  readonly width: number
  readonly height: number
  readonly data: Uint8Array
}

/** What is the same for all epochs of a stream. */
export interface LiveStreamSettings {
  readonly id: string
  readonly kind: string
  readonly isLive: boolean
  readonly ledger: Ledger
  readonly questions?: readonly Question[]
  readonly sampling: LiveSampling
  /** Milliseconds of the very same picture after which it counts as frozen; Infinity: never. */
  readonly frozenAfterMs: number
  /** Longest gap between two connections that an epoch goes on over, in milliseconds. @default 0: none */
  readonly bridgeGapsMs?: number
  readonly notify: (notice: SourceNotice) => void
}

/** One connection's uninterrupted run, or those of several whose gaps are bridged. */
interface Epoch {
  readonly info: StreamInfo
  readonly isWanted: (ptsMs: number) => boolean
  readonly health: LiveHealth
  readonly clock: LiveClock
  /** Time of the connection at which the epoch's media time is 0. */
  firstMediaMs: number
  pictures: number
  lastPtsMs: number
  lastArrivedMs: number
}

/**
 * Makes numbered, timed pictures of what connections give, in one epoch for each connection. A gap that is to be
 * bridged ends no epoch: media time goes on over it by the time of arrival.
 *
 * An epoch is named by the wall-clock time of its first picture, so that ids of answers differ also from those
 * before a restart of the process, without anything being stored. Index and media time start at 0 in each.
 */
export class LiveEpochs {
  readonly #settings: LiveStreamSettings
  readonly #frozen: FrozenPicture
  readonly #thinned = new ThinnedEstimate()
  #current: Epoch | undefined
  #lastEpoch = 0
  #isNewConnection = true
  /** Pictures a second, as the camera announces it; 0 where it doesn't. */
  #announcedFps = 0

  constructor(settings: LiveStreamSettings) {
    this.#settings = settings
    this.#frozen = new FrozenPicture(settings.frozenAfterMs)
  }

  /** The stream before its first epoch. */
  get info(): StreamInfo {
    return this.#infoOf(0, (span) => this.#current?.health.health(span) ?? { coverage: 1, warnings: [] })
  }

  /** A new connection: its first picture begins an epoch. */
  connect(): void {
    this.#isNewConnection = true
    this.#frozen.restart()
    this.#thinned.restart()
  }

  /** The rate that the camera announces, before its first picture; 0 where it announces none. */
  announceFps(fps: number): void {
    this.#announcedFps = fps
    this.#thinned.announceFps(fps)
  }

  /**
   * Takes in a picture; gives it back as one of the stream's if it is wanted.
   *
   * @throws {StreamError} `RTSP_CHANGED`: the stream's time jumped; `RTSP_FROZEN`. Connect anew.
   */
  take(picture: ArrivedPicture): LivePicture | undefined {
    const epoch = this.#epochOf(picture)
    const { mediaMs, arrivedMs, width, height, data } = picture
    const ptsMs = Math.round((mediaMs - epoch.firstMediaMs) * 1000) / 1000
    this.#expectNoJump(epoch, { ptsMs, arrivedMs })
    epoch.lastPtsMs = ptsMs
    epoch.lastArrivedMs = arrivedMs
    const index = epoch.pictures++
    const takenAtMs = epoch.clock.takenAt(ptsMs, arrivedMs)
    this.#thinned.add(ptsMs)
    this.#expectMoving(data, ptsMs)
    if (!epoch.isWanted(ptsMs)) return undefined
    epoch.health.add(ptsMs)
    return { stream: epoch.info, index, ptsMs, capturedAt: new Date(takenAtMs).toISOString(), width, height, data }
  }

  #epochOf(picture: ArrivedPicture): Epoch {
    const current = this.#current
    if (current !== undefined && !this.#isNewConnection) return current
    this.#isNewConnection = false
    const gapMs = picture.arrivedMs - (current?.lastArrivedMs ?? -Infinity)
    if (current !== undefined && gapMs > 0 && gapMs <= (this.#settings.bridgeGapsMs ?? 0)) {
      current.firstMediaMs = picture.mediaMs - current.lastPtsMs - gapMs
      return current
    }
    this.#current = this.#begin(picture)
    return this.#current
  }

  #begin({ mediaMs, arrivedMs }: ArrivedPicture): Epoch {
    const { sampling, notify, id } = this.#settings
    // Two connections within a millisecond, or a clock that was set back, must not share an epoch.
    this.#lastEpoch = Math.max(Math.floor(arrivedMs), this.#lastEpoch + 1)
    const health = new LiveHealth(this.#wantedFps())
    const info = this.#infoOf(this.#lastEpoch, (span) => health.health(span))
    notify({ kind: 'epoch', message: 'a live stream has begun', fields: { streamId: id, epoch: info.epoch } })
    const isWanted = sampling.kind === 'fps' ? createFpsRule(sampling.fps) : () => true
    const times = { firstMediaMs: mediaMs, lastPtsMs: 0, lastArrivedMs: arrivedMs }
    return { info, health, isWanted, clock: new LiveClock(), pictures: 0, ...times }
  }

  /** Pictures wanted for each second; 0 where nobody knows how many there are to be had. */
  #wantedFps(): number {
    const { sampling } = this.#settings
    if (sampling.keyframesOnly === true) return 0
    return sampling.kind === 'fps' ? sampling.fps : this.#announcedFps || 1
  }

  #infoOf(epoch: number, health: StreamInfo['health']): StreamInfo {
    const { id, kind, isLive, ledger, questions } = this.#settings
    return {
      ...{ id, epoch, kind, isLive, ledger },
      ...(questions === undefined ? {} : { questions }),
      health,
      thinnedEstimate: () => this.#thinned.estimate,
    }
  }

  /** After a stall media time and arrival have gone on alike; a burst after it brings media time alone, little by little. */
  #expectNoJump(epoch: Epoch, { ptsMs, arrivedMs }: { ptsMs: number; arrivedMs: number }): void {
    const stepMs = ptsMs - epoch.lastPtsMs
    const waitedMs = Math.max(0, arrivedMs - epoch.lastArrivedMs)
    if (stepMs >= 0 && stepMs - waitedMs <= this.#longestStepMs()) return
    const direction = stepMs < 0 ? 'back' : 'ahead'
    throw changedError(this.#settings.id, `its time jumped ${direction} by ${Math.abs(stepMs)} ms`)
  }

  #longestStepMs(): number {
    const { sampling } = this.#settings
    return sampling.kind === 'fps' ? Math.max(JUMP_MS, 2000 / sampling.fps) : JUMP_MS
  }

  #expectMoving(data: Uint8Array, ptsMs: number): void {
    const { id, frozenAfterMs, notify } = this.#settings
    if (frozenAfterMs === Infinity || !this.#frozen.isFrozen({ data, ptsMs })) return
    notify({ kind: 'frozen', message: 'a live stream repeats one picture', fields: { streamId: id, forMs: frozenAfterMs } })
    throw new StreamError(
      'RTSP_FROZEN',
      `${id} has sent the very same picture for ${frozenAfterMs / 1000} s. The connection is made anew, once; if the ` +
        'picture stays, look at the camera. For a scene that is still by nature set `frozenAfterMs: Infinity`.',
    )
  }
}

/** The error of a connection whose stream isn't the same any more. */
export function changedError(id: string, what: string): StreamError {
  return new StreamError('RTSP_CHANGED', `The stream of ${id} changed: ${what}. The connection is made anew.`)
}
