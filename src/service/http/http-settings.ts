import { z } from 'zod'

import { StreamError } from '../../errors.js'
import { checkSettings } from '../../settings.js'
import type { RunMetricsOptions } from '../metrics/run-metrics.js'
import { isLoopback } from './loopback.js'
import { defaultSourceFactories } from './source-factories.js'
import type { SourceFactories } from './source-factories.js'

/** Where `serve` listens where nobody says otherwise. */
export const DEFAULT_PORT = 8466

/** How a run is served. */
export interface ServeOptions {
  /** The address to listen on; one that other machines reach needs a token. @default '127.0.0.1' */
  readonly host?: string
  /** 0: any that is free. @default 8466 */
  readonly port?: number
  /** What requests must hold as `Authorization: Bearer …`, but for `/livez` and `/readyz`; at least 16 characters. */
  readonly token?: string
  /** What `POST /sources` can add, by `kind`. @default directory, file, image and rtsp */
  readonly sourceFactories?: SourceFactories
  /** Most readers of `/answers` at the same time. @default 32 */
  readonly maxClients?: number
  /** Bytes that may wait for one reader of `/answers` before it is cut off. @default 1048576 */
  readonly maxBufferedBytes?: number
  /** Milliseconds between two signs of life on `/answers`. @default 15000 */
  readonly heartbeatMs?: number
  /** Milliseconds that a reader that was cut off has to take what waits for it. @default 5000 */
  readonly goodbyeMs?: number
  /** Bounds of the figures. */
  readonly metrics?: RunMetricsOptions
  /** Told of errors that nobody expected; the client is only told that there was one. @default nobody */
  readonly onError?: (error: unknown) => void
}

/** Options with all defaults. */
export type ServeSettings = Required<Omit<ServeOptions, 'token'>> & Pick<ServeOptions, 'token'>

/** Longest wait that a timer takes. */
const MOST_MS = 2 ** 31 - 1

const isFunction = (value: unknown): boolean => typeof value === 'function'

const schema = z.strictObject({
  host: z.string().min(1).default('127.0.0.1'),
  port: z.int().min(0).max(65_535).default(DEFAULT_PORT),
  // Guessing it is the only way in.
  token: z.string().min(16).optional(),
  sourceFactories: z.custom<SourceFactories>((value) => typeof value === 'object').default(defaultSourceFactories),
  maxClients: z.int().min(0).default(32),
  maxBufferedBytes: z.int().min(1).default(2 ** 20),
  heartbeatMs: z.int().min(1).max(MOST_MS).default(15_000),
  goodbyeMs: z.int().min(0).max(MOST_MS).default(5000),
  metrics: z
    .strictObject({
      maxSources: z.int().min(1).optional(),
      maxStreams: z.int().min(1).optional(),
      now: z.custom<() => number>(isFunction).optional(),
    })
    .default({}),
  onError: z.custom<(error: unknown) => void>(isFunction).default(() => () => undefined),
})

/**
 * Checks how a run is to be served.
 *
 * @throws {StreamError} `SETTING_INVALID`: every mistake at once; or an address for other machines without a token.
 */
export function checkServeOptions(options: ServeOptions): ServeSettings {
  const settings = checkSettings('serve', schema, options) as ServeSettings
  if (settings.token !== undefined || isLoopback(settings.host)) return settings
  throw new StreamError(
    'SETTING_INVALID',
    `Other machines can reach ${settings.host}, and whoever can reach the service can add sources: ` +
      'give it a token of at least 16 characters, or listen on 127.0.0.1.',
  )
}
