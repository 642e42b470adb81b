import { StreamError } from '../errors.js'
import { DEFAULT_PORT, checkServeOptions } from '../service/http/http-settings.js'
import type { ServeOptions } from '../service/http/http-settings.js'
import { serve } from '../service/http/serve.js'
import type { Served } from '../service/http/serve.js'
import type { Run } from '../service/start.js'
import type { Reporter } from './reporter.js'

/** How the run is to be served. */
export interface HttpFlags {
  readonly http: boolean
  readonly host?: string
  readonly port?: number
  readonly tokenEnv?: string
}

const TOKEN_VARIABLE = 'TINYLLAVA_STREAM_TOKEN'

/**
 * How a run is to be served; checked before it is started. None: not at all.
 *
 * @throws {StreamError} `SETTING_INVALID`
 */
export function serveOptions({ http, host, port, tokenEnv }: HttpFlags, reporter: Reporter): ServeOptions | undefined {
  if (!http) return undefined
  const token = readToken(tokenEnv)
  const options: ServeOptions = {
    ...(host !== undefined && { host }),
    ...(port !== undefined && { port }),
    ...(token !== undefined && { token }),
    onError: reporter.failure,
  }
  checkServeOptions(options)
  return options
}

/**
 * Serves a run and says where. Where no port was asked for and the usual one is taken, by another pipeline
 * most likely, any that is free will do.
 */
export async function serveRun(run: Run, options: ServeOptions, reporter: Reporter): Promise<Served> {
  const served = await serve(run, options).catch((error: unknown): Promise<Served> => {
    if (options.port !== undefined || !isTaken(error)) throw error
    reporter.warning(`port ${DEFAULT_PORT} is taken: choose one with --port to be found`)
    return serve(run, { ...options, port: 0 })
  })
  reporter.notice('serving on', { address: served.address })
  return served
}

function readToken(variable: string | undefined): string | undefined {
  const token = process.env[variable ?? TOKEN_VARIABLE] ?? ''
  if (token !== '') return token
  if (variable === undefined) return undefined
  throw new StreamError('SETTING_INVALID', `The variable ${variable}, named by --token-env, is not set or is empty.`)
}

function isTaken(error: unknown): boolean {
  const cause = error instanceof StreamError ? error.cause : undefined
  return cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE'
}
