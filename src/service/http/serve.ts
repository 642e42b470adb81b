import type { FastifyInstance } from 'fastify'

import { createRunMetrics } from '../metrics/run-metrics.js'
import type { ObservedRun } from '../observed-run.js'
import { createAnswerReaders } from './answer-readers.js'
import { errorReply } from './error-reply.js'
import { createGuard } from './guard.js'
import { checkServeOptions } from './http-settings.js'
import type { ServeOptions, ServeSettings } from './http-settings.js'
import { listen } from './listen.js'
import { addAnswerRoute, addSourceRoutes, addStateRoutes, refuseUnknownRoute } from './routes.js'

/** A run that is served. */
export interface Served {
  /** Where, e.g. `http://127.0.0.1:8466`. */
  readonly address: string
  /** Ends all connections and stops listening; the run goes on. */
  readonly close: () => Promise<void>
}

/** A description of a source is short. */
const MOST_BODY_BYTES = 64 * 1024
/** Ids of sources may be long, e.g. paths. */
const MOST_PARAMETER_LENGTH = 4096
/** Whoever doesn't finish a request in this time holds a connection for nothing. */
const REQUEST_TIMEOUT_MS = 30_000

/**
 * Serves a run over HTTP: `/livez`, `/readyz`, `/metrics`, `/sources` and `/answers`.
 *
 * Call it right after `start`: what happened before isn't in the figures. It listens on this machine alone
 * unless it is told otherwise, which takes a token. It outlives the run, so that the last figures can be read:
 * close it.
 *
 * - **`/answers`**: results as server-sent events from now on, `?kind=` and `?source=` (a stream's id) choose.
 *   Nothing is replayed. A reader for whom too much waits is told so (`cut-off`) and let go; `end` is the last.
 *
 * @example
 * ```ts
 * const run = start(pipeline)
 * const { address, close } = await serve(run)
 * await run.done.finally(close)
 * ```
 *
 * @throws {StreamError} `SETTING_INVALID`, `HTTP_LISTEN_FAILED`.
 */
export async function serve(run: ObservedRun, options: ServeOptions = {}): Promise<Served> {
  const settings = checkServeOptions(options)
  const metrics = createRunMetrics(run, settings.metrics)
  const readers = createAnswerReaders(run, settings)
  const app = await createApp(settings)
  const setup = { run, metrics, readers, sourceFactories: settings.sourceFactories }
  for (const addRoutes of [addStateRoutes, addSourceRoutes, addAnswerRoute]) addRoutes(app, setup)
  const close = async (): Promise<void> => {
    readers.close()
    metrics.close()
    await app.close()
  }
  try {
    return { address: await listen(app, settings), close }
  } catch (error) {
    await close()
    throw error
  }
}

/** A server that checks every request first, reads JSON only, and says every error in the same way. */
async function createApp({ token, onError }: ServeSettings): Promise<FastifyInstance> {
  // Slow to load, and most programs never serve.
  const { fastify } = await import('fastify')
  const app = fastify({
    bodyLimit: MOST_BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: MOST_PARAMETER_LENGTH },
  })
  const guard = createGuard(token)
  app.addHook('onRequest', (request, _reply, done) => {
    guard({ method: request.method, route: request.routeOptions.url, headers: request.headers })
    done()
  })
  readJsonOnly(app)
  app.setNotFoundHandler(refuseUnknownRoute)
  app.setErrorHandler((error, _request, reply) => {
    const { status, body } = errorReply(error)
    if (status === 500) onError(error)
    if (status === 401) void reply.header('www-authenticate', 'Bearer')
    return reply.code(status).send(body)
  })
  return app
}

/** A request that needs no body may leave it out, although it must name its type. */
function readJsonOnly(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error')
  app.removeAllContentTypeParsers()
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, text, done) => {
    if (text === '') done(null, undefined)
    else void parse(request, text, done)
  })
}
