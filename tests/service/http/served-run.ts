import { request } from 'node:http'
import type { IncomingMessage } from 'node:http'

import { answer } from '../../../src/operators/answer.js'
import { encode } from '../../../src/operators/encode.js'
import { slidingWindow } from '../../../src/operators/sliding-window.js'
import { definePipeline } from '../../../src/service/define-pipeline.js'
import type { Pipeline } from '../../../src/service/define-pipeline.js'
import { serve } from '../../../src/service/http/serve.js'
import type { ServeOptions } from '../../../src/service/http/http-settings.js'
import { start } from '../../../src/service/start.js'
import type { Run } from '../../../src/service/start.js'
import { createInstantModel } from '../../operators/fakes.js'

/** A question about every frame. */
export const askEach: Pipeline['stream'] = (frames, { model }) =>
  frames.pipe(encode(model, { batch: 1 }), slidingWindow({ frames: 1 }), answer(model, 'What?'))

export interface ServedRun {
  readonly run: Run
  readonly address: string
  /** Requests a path as any program would. */
  readonly get: (path: string, headers?: Readonly<Record<string, string>>) => Promise<Response>
  readonly post: (path: string, body?: unknown) => Promise<Response>
  readonly close: () => Promise<void>
}

const open: ServedRun[] = []

/** Really starts a pipeline and really serves it, on a free port. */
export async function startServed(
  pipeline: Partial<Pipeline> & Pick<Pipeline, 'sources'>,
  options: ServeOptions = {},
): Promise<ServedRun> {
  const run = start(definePipeline({ name: 'test', model: createInstantModel(), stream: askEach, ...pipeline }))
  // Tests that are about the run's end look at `done` themselves.
  run.done.catch(() => undefined)
  const { address, close } = await serve(run, { port: 0, ...options })
  const headers = { 'content-type': 'application/json' }
  const served: ServedRun = {
    ...{ run, address, close },
    get: (path, own = {}) => fetch(`${address}${path}`, { headers: own }),
    post: (path, body) =>
      fetch(`${address}${path}`, { method: 'POST', headers, body: body === undefined ? null : JSON.stringify(body) }),
  }
  open.push(served)
  return served
}

/** Ends everything that a test has started. */
export async function endServed(): Promise<void> {
  for (const { run, close } of open.splice(0)) {
    await close()
    await run.stop({ drainTimeoutMs: 0 }).catch(() => undefined)
  }
}

/** A request with any headers, `Host` among them, which `fetch` doesn't let one set. */
export function rawGet(url: string, headers: Readonly<Record<string, string>>): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request(url, { headers }, (response) => {
      response.resume()
      resolve(response)
    })
      .on('error', reject)
      .end()
  })
}

/** The body of an answer that must be JSON. */
export async function bodyOf(response: Response | Promise<Response>): Promise<unknown> {
  return await (await response).json()
}
