import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'

import { StreamError } from '../../errors.js'
import { checkSettings } from '../../settings.js'
import { redactUrl } from '../../sources/redact.js'
import type { RunMetrics } from '../metrics/run-metrics.js'
import type { ObservedRun } from '../observed-run.js'
import type { AnswerReaders, AnswerRequest } from './answer-readers.js'
import { readinessOf } from './readiness.js'
import { makeSource } from './source-factories.js'
import type { SourceFactories } from './source-factories.js'

/** What the routes speak for. */
export interface RoutesSetup {
  readonly run: ObservedRun
  readonly metrics: RunMetrics
  readonly readers: AnswerReaders
  readonly sourceFactories: SourceFactories
}

type SourceRequest = FastifyRequest<{ Params: { id: string } }>

/** `/livez`: the process answers. `/readyz`: the run does what it is for. `/metrics`: its figures. */
export function addStateRoutes(app: FastifyInstance, { run, metrics }: RoutesSetup): void {
  app.get('/livez', () => ({ status: 'alive' }))
  app.get('/readyz', (_request, reply) => {
    const { isReady, state, reasons } = readinessOf(run)
    return reply.code(isReady ? 200 : 503).send({ status: isReady ? 'ready' : 'unready', state, reasons })
  })
  app.get('/metrics', async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()))
}

/** `/sources`: list, add, pause, resume, remove. A change answers with the source as it is then. */
export function addSourceRoutes(app: FastifyInstance, { run: { sources }, sourceFactories }: RoutesSetup): void {
  const statusOf = (id: string) => sources.list().find((source) => source.id === id)
  app.get('/sources', (_request, reply) => reply.type('application/json').send(redactedJson({ sources: sources.list() })))
  app.post('/sources', (request, reply) => {
    const source = makeSource(sourceFactories, request.body)
    sources.add(source)
    const location = `/sources/${encodeURIComponent(source.id)}`
    return reply.code(201).header('location', location).type('application/json').send(redactedJson(statusOf(source.id)))
  })
  app.post('/sources/:id/pause', ({ params: { id } }: SourceRequest, reply) => {
    sources.pause(id)
    return reply.type('application/json').send(redactedJson(statusOf(id)))
  })
  app.post('/sources/:id/resume', ({ params: { id } }: SourceRequest, reply) => {
    sources.resume(id)
    return reply.type('application/json').send(redactedJson(statusOf(id)))
  })
  app.delete('/sources/:id', async ({ params: { id } }: SourceRequest, reply) => {
    await sources.remove(id)
    return reply.code(204).send()
  })
}

/** `/answers`: results as server-sent events. */
export function addAnswerRoute(app: FastifyInstance, { readers }: RoutesSetup): void {
  app.get('/answers', { exposeHeadRoute: false }, (request, reply) => {
    readers.add(reply.raw, toAnswerRequest(request))
    reply.hijack()
  })
}

/** Whatever isn't there. */
export function refuseUnknownRoute(request: FastifyRequest): never {
  const message = `There is no ${request.method} here: see /livez, /readyz, /metrics, /sources and /answers.`
  throw new StreamError('HTTP_NOT_FOUND', message)
}

const oneOrMany = z
  .union([z.string(), z.array(z.string())])
  .default([])
  .transform((given) => (typeof given === 'string' ? [given] : given))
const querySchema = z.strictObject({ kind: oneOrMany, source: oneOrMany })

function toAnswerRequest({ query, headers }: FastifyRequest): AnswerRequest {
  const { kind, source } = checkSettings('/answers', querySchema, query)
  const lastEventId = headers['last-event-id']
  return { filter: { kinds: kind, sources: source }, lastEventId: lastEventId?.toString() }
}

/** What sources say of themselves may come from anywhere: no address leaves with its login. */
function redactedJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => (typeof part === 'string' ? redactUrl(part) : part))
}
