import { z } from 'zod'

import { StreamError } from '../../errors.js'
import { byFps } from '../../sampling/by-fps.js'
import { samplingSchema } from '../../sampling/sampling-settings.js'
import type { Sampling } from '../../sampling/sampling.js'
import { checkSettings } from '../../settings.js'
import type { Question } from '../../types.js'
import { hwaccelSchema } from '../decoding/hwaccel.js'
import { WHEN_FULL, type WhenFull } from '../live/buffer.js'
import type { ReconnectRule } from '../live/reconnect.js'
import { type LiveSampling, checkLiveSampling } from '../live/sampling.js'
import type { RtspLogin } from './address.js'
import type { RtspTransport } from './connection.js'

/** Settings of `rtsp`. */
export interface RtspOptions {
  /**
   * Name of the stream, part of every answer's id.
   *
   * @default host and path of the address, e.g. `10.0.0.7/live`
   */
  readonly id?: string
  /**
   * Which frames are wanted: `byFps(…)` or `allFrames()`. The others are decoded, and never piped.
   *
   * With `keyframesOnly` they aren't even decoded: `byFps(1, { keyframesOnly: true })`. Then `noFrameTimeoutMs` has
   * to be longer than the time between two keyframes, and pictures that are lost don't lower the `coverage`: how
   * many there should have been isn't known. H.264 needs IDR keyframes for it: those of open GOPs or intra-refresh
   * can't be decoded by themselves, and come late or never.
   *
   * @default byFps(1)
   */
  readonly sampling?: Sampling
  /**
   * How hardware decodes, a method that `ffmpeg -hwaccels` lists (`vaapi`, `cuda`, `videotoolbox`, …), or `auto`:
   * whichever works, else the processor. Looked for once, before the first connection. A named method, too, leaves
   * codecs that its device can't decode to the processor.
   *
   * @default none: the processor decodes
   */
  readonly hwaccel?: string
  /**
   * `tcp` loses nothing and passes firewalls; `udp` doesn't stall where packets are lost.
   *
   * @default 'tcp'
   */
  readonly transport?: RtspTransport
  /**
   * User to log in as; in place of one in the address.
   *
   * @default none
   */
  readonly user?: string
  /**
   * Password to log in with. Better than to write it down: `passwordEnv`.
   *
   * @default none
   */
  readonly password?: string
  /**
   * Environment variable that holds the user; it must be there.
   *
   * @default none
   */
  readonly userEnv?: string
  /**
   * Environment variable that holds the password; it must be there.
   *
   * @default none
   */
  readonly passwordEnv?: string
  /**
   * Milliseconds without a picture (beyond those thinned out) after which the connection counts as lost: the
   * decoder is killed, and a new one started. Counts from the start of the connection, too, so it has to be
   * longer than the camera takes between two keyframes.
   *
   * @default 10000
   */
  readonly noFrameTimeoutMs?: number
  /**
   * Milliseconds of the very same picture, to the last bit, after which the camera counts as frozen: the
   * connection is made anew, once. `Infinity`: never, for scenes that are still by nature.
   *
   * @default 60000
   */
  readonly frozenAfterMs?: number
  /** When a lost connection is made anew. */
  readonly reconnect?: {
    /**
     * Milliseconds before the first attempt; doubled at each further one, up to one half of it randomly taken off.
     *
     * @default 500
     */
    readonly minDelayMs?: number
    /**
     * Most milliseconds before an attempt.
     *
     * @default 30000
     */
    readonly maxDelayMs?: number
    /**
     * Attempts in a row without one picture after which the stream ends with the last error.
     *
     * @default Infinity
     */
    readonly maxAttempts?: number
  }
  /**
   * Longest gap, in milliseconds, after which a new connection goes on with the epoch of the one before: media time goes
   * on by the clock, windows span the gap, and their `coverage` says what is missing.
   *
   * @default 0: a new connection is always a new epoch, and no window spans a gap
   */
  readonly bridgeGapsMs?: number
  /**
   * Most frames that wait to be handed out, at `width * height * 3` bytes each.
   *
   * @default 4
   */
  readonly bufferFrames?: number
  /**
   * What happens when one more arrives: `latest` drops the oldest that waits, `oldest` drops the arriving one,
   * `error` ends the stream with `LIVE_BUFFER_FULL`.
   *
   * @default 'latest'
   */
  readonly whenFull?: WhenFull
  /**
   * Most frames handed out and not settled yet, at `width * height * 3` bytes each.
   *
   * @default 4
   */
  readonly maxFramesInFlight?: number
  /**
   * Questions about the stream; they override the pipeline's.
   *
   * @default none
   */
  readonly questions?: readonly Question[]
  /**
   * Milliseconds of media time after which the stream completes; it then counts as finite.
   *
   * @default none: the stream has no end
   */
  readonly durationMs?: number
}

/** The longest time a timer can wait. */
const LONGEST_MS = 2 ** 31 - 1

const name = z.string().min(1)
const count = z.int().min(1)
const milliseconds = z.number().min(1).max(LONGEST_MS)

/** `RtspOptions.reconnect`. */
export const reconnectSchema = z.strictObject({
  minDelayMs: milliseconds.default(500),
  maxDelayMs: milliseconds.default(30_000),
  maxAttempts: z.union([z.int().min(0), z.literal(Infinity)]).default(Infinity),
})

/** `RtspOptions`. */
export const optionsSchema = z.strictObject({
  id: name.optional(),
  sampling: samplingSchema.default(() => byFps(1)),
  hwaccel: hwaccelSchema.optional(),
  transport: z.enum(['tcp', 'udp']).default('tcp'),
  user: name.optional(),
  password: z.string().optional(),
  userEnv: name.optional(),
  passwordEnv: name.optional(),
  noFrameTimeoutMs: milliseconds.default(10_000),
  frozenAfterMs: z.union([milliseconds, z.literal(Infinity)]).default(60_000),
  reconnect: reconnectSchema.prefault({}),
  bridgeGapsMs: z.number().min(0).max(LONGEST_MS).default(0),
  bufferFrames: count.default(4),
  whenFull: z.enum(WHEN_FULL).default('latest'),
  maxFramesInFlight: count.default(4),
  questions: z.array(name).optional(),
  durationMs: z.number().positive().optional(),
})

/** `RtspOptions` after the check, defaults filled in. */
export interface RtspSettings {
  readonly id: string | undefined
  readonly sampling: LiveSampling
  readonly hwaccel?: string | undefined
  readonly transport: RtspTransport
  readonly login: RtspLogin
  readonly noFrameTimeoutMs: number
  readonly frozenAfterMs: number
  readonly reconnect: ReconnectRule
  readonly bridgeGapsMs: number
  readonly bufferFrames: number
  readonly whenFull: WhenFull
  readonly maxFramesInFlight: number
  readonly questions: readonly Question[] | undefined
  readonly durationMs: number | undefined
}

/**
 * Checks the settings of `rtsp`.
 *
 * @throws {StreamError} `SETTING_INVALID`, without any value.
 */
export function checkRtspOptions(options: RtspOptions): RtspSettings {
  const { id, questions, durationMs, user, password, userEnv, passwordEnv, ...rest } = checkSettings(
    'rtsp',
    optionsSchema,
    options,
  )
  const login = {
    user: either('user', user, userEnv),
    password: either('password', password, passwordEnv),
  }
  return { ...rest, id, questions, durationMs, login, sampling: checkLiveSampling(rest.sampling) }
}

/** A setting that is given as it is or by the name of an environment variable. */
function either(what: string, value: string | undefined, variable: string | undefined): string | undefined {
  if (variable === undefined) return value
  if (value !== undefined) {
    throw new StreamError('SETTING_INVALID', `rtsp: \`${what}\` and \`${what}Env\` are both given. Give one of them.`)
  }
  const found = process.env[variable]
  if (found !== undefined && found !== '') return found
  throw new StreamError('SETTING_INVALID', `rtsp: the environment variable ${variable} (\`${what}Env\`) isn't set.`)
}
