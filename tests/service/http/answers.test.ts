import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'

import { Subject } from 'rxjs'
import { afterEach, describe, expect, test } from 'vitest'

import type { Result } from '../../../src/envelope.js'
import type { Pipeline } from '../../../src/service/define-pipeline.js'
import { settled } from '../../operators/fakes.js'
import { createAnswer } from '../../sinks/contract.js'
import { createHandSource } from '../fakes.js'
import { bodyOf, endServed, startServed } from './served-run.js'

afterEach(endServed)

/** A pipeline that emits what the test hands it. */
function emitting(): { readonly results: Subject<Result>; readonly pipeline: Pick<Pipeline, 'sources' | 'stream'> } {
  const results = new Subject<Result>()
  return { results, pipeline: { sources: [createHandSource('door', { isLive: true })], stream: () => results } }
}

/** Reads a stream of events until its text holds what is waited for. */
function eventsOf(response: Response) {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  const until = async (expected: string): Promise<string> => {
    while (!text.includes(expected)) {
      const chunk = await reader?.read()
      if (chunk?.done !== false) throw new Error(`It ended without ${expected}: ${text}`)
      text += chunk.value
    }
    return text
  }
  return { until, cancel: async () => reader?.cancel() }
}

describe('/answers', () => {
  test('sends each result as an event, from now on', async () => {
    const source = createHandSource('door', { isLive: true })
    const { get, run } = await startServed({ sources: [source] })
    await settled()
    source.push(1)
    await settled()
    const results: Result[] = []
    run.answers$.subscribe((result) => results.push(result))
    const response = await get('/answers')
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    expect(response.headers.get('cache-control')).toBe('no-store')
    const events = eventsOf(response)
    expect(await events.until('\n\n')).toBe(': answers from now on\n\n')
    source.push(1)
    await events.until('event: answer')
    const [result] = results
    expect(result).toMatchObject({ answer: 'echo: What?', clip: { frames: [{ index: 1 }] } })
    const expected = `: answers from now on\n\nevent: answer\nid: ${result?.id ?? ''}\ndata: ${JSON.stringify(result)}\n\n`
    expect(await events.until('}\n\n')).toBe(expected)
    await run.stop()
    expect(await events.until('event: end')).toBe(`${expected}event: end\ndata: {}\n\n`)
  })

  test('?kind= and ?source= choose, several of each', async () => {
    const { results, pipeline } = emitting()
    const { get } = await startServed(pipeline)
    const queries = ['source=door&source=yard', 'kind=answer', 'kind=alert&kind=error', 'kind=answer&source=gate']
    const readers = await Promise.all(queries.map(async (query) => eventsOf(await get(`/answers?${query}`))))
    await Promise.all(readers.map(({ until }) => until('from now on')))
    for (const id of ['door', 'gate', 'yard']) {
      results.next(createAnswer(id, { source: { id, kind: 'fake', epoch: 0 } }))
    }
    results.complete()
    const texts = await Promise.all(readers.map(({ until }) => until('event: end')))
    const seen = texts.map((text) => Array.from(text.matchAll(/"answer":"(\w+)"/g), ([, answer]) => answer))
    expect(seen).toEqual([['door', 'yard'], ['door', 'gate', 'yard'], [], ['gate']])
  })

  test('an unknown question about answers is refused', async () => {
    const { get } = await startServed(emitting().pipeline)
    const response = await get('/answers?sorce=door')
    expect(response.status).toBe(400)
    expect(await bodyOf(response)).toMatchObject({ error: { code: 'SETTING_INVALID' } })
  })

  test('who comes again is told that there is a gap', async () => {
    const { get } = await startServed(emitting().pipeline)
    const events = eventsOf(await get('/answers', { 'last-event-id': 'abc' }))
    const text = await events.until('\n\n')
    expect(text).toMatch(/^event: gap\ndata: \{"lastEventId":"abc","message":"Nothing is replayed: /)
  })

  test('shows that it lives while there is nothing to tell', async () => {
    const { get } = await startServed(emitting().pipeline, { heartbeatMs: 1 })
    await eventsOf(await get('/answers')).until(': alive\n\n: alive\n\n')
  })

  test('readers are bounded, and one that goes makes room', async () => {
    const { get } = await startServed(emitting().pipeline, { maxClients: 1 })
    const first = eventsOf(await get('/answers'))
    await first.until('from now on')
    const second = await get('/answers')
    expect(second.status).toBe(503)
    expect(await bodyOf(second)).toMatchObject({ error: { code: 'HTTP_BUSY' } })
    await first.cancel()
    await whenThereIsRoom(get)
  })

  test('HEAD is no reader', async () => {
    const { address } = await startServed(emitting().pipeline)
    expect((await fetch(`${address}/answers`, { method: 'HEAD' })).status).toBe(404)
  })
})

describe('a reader that is too slow', () => {
  const large = 'x'.repeat(2 ** 19)
  /** Far more than a system keeps for a connection. */
  const MANY = 80

  /** Begins to read, and reads no more. */
  async function readNothing(address: string): Promise<Socket> {
    const { hostname, port } = new URL(address)
    const socket = connect(Number(port), hostname)
    socket.write(`GET /answers HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`)
    await once(socket, 'data')
    socket.pause()
    return socket
  }

  async function emitMany(results: Subject<Result>): Promise<void> {
    for (let count = 0; count < MANY; count += 1) {
      results.next(createAnswer(large))
      await settled()
    }
  }

  test('is told so and let go, and the others lose nothing', async () => {
    const { results, pipeline } = emitting()
    const { address, get } = await startServed(pipeline, { maxBufferedBytes: 2 ** 16, goodbyeMs: 60_000 })
    const slow = await readNothing(address)
    const whenReceived = counterOf(await get('/answers'))
    for (let count = 1; count <= MANY; count += 1) {
      results.next(createAnswer(large))
      await whenReceived(count * large.length)
    }
    let text = ''
    slow.on('data', (chunk: Buffer) => (text += chunk.toString()))
    slow.resume()
    await once(slow, 'end')
    expect(text).toMatch(/event: cut-off\ndata: \{"message":"You read too slowly: [^\n]*\}\n\n\r\n0\r\n\r\n$/)
    expect(text.match(/event: answer/g)?.length).toBeLessThan(MANY)
  })

  test('is let go although it doesn’t even read that', async () => {
    const { results, pipeline } = emitting()
    const settings = { maxBufferedBytes: 2 ** 16, maxClients: 1, goodbyeMs: 1 }
    const { address, get } = await startServed(pipeline, settings)
    const slow = await readNothing(address)
    await emitMany(results)
    await whenThereIsRoom(get)
    slow.destroy()
  })
})

/** Waits until so many bytes have come, and keeps none. */
function counterOf({ body }: Response): (bytes: number) => Promise<void> {
  const reader = (body as ReadableStream<Uint8Array> | null)?.getReader()
  let received = 0
  return async (bytes) => {
    while (received < bytes) {
      const chunk = await reader?.read()
      if (chunk?.done !== false) throw new Error(`It ended after ${received} bytes.`)
      received += chunk.value.byteLength
    }
  }
}

/** Asks again until another reader is let in: the server learns of a reader's end only after the reader. */
async function whenThereIsRoom(get: (path: string) => Promise<Response>): Promise<void> {
  let response = await get('/answers')
  while (response.status === 503) response = await get('/answers')
  expect(response.status).toBe(200)
}
