import { createHmac, timingSafeEqual } from 'node:crypto'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import type { Answer } from '../../src/envelope.js'
import type { SinkNotice } from '../../src/sinks/sink.js'
import { readRetryAfter } from '../../src/sinks/webhook-request.js'
import type { WebhookOptions } from '../../src/sinks/webhook-settings.js'
import { webhook } from '../../src/sinks/webhook.js'
import { createAnswer, runSinkContract } from './contract.js'
import { createFakeTime } from './fake-time.js'
import type { FakeTime } from './fake-time.js'
import { Receiver } from './receiver.js'
import type { Received } from './receiver.js'

let receiver: Receiver
let folder: string
let time: FakeTime
let notices: SinkNotice[]
beforeEach(async () => {
  receiver = await Receiver.start()
  folder = await mkdtemp(join(tmpdir(), 'webhook-'))
  time = createFakeTime()
  notices = []
})
afterEach(async () => {
  await receiver.stop()
  await rm(folder, { recursive: true, force: true })
})

const open = async (options: WebhookOptions = {}, url = receiver.url) => {
  const sink = webhook(url, options, time)
  await sink.open?.({ notify: (notice) => notices.push(notice) })
  return sink
}
const firstRequest = (): Received => {
  const [request] = receiver.received
  if (request === undefined) throw new Error('No request came in.')
  return request
}
const noticeKinds = () => notices.map(({ kind }) => kind)

describe('webhook', () => {
  runSinkContract(async () => {
    const own = await Receiver.start()
    const spill = join(folder, own.url.replace(/\W/g, '-'))
    return {
      sink: webhook(own.url, { spill: { folder: spill }, circuit: { failuresToOpen: 1 }, closeLimitMs: 0 }),
      delivered: () => Promise.resolve(own.answers),
      // The other end is down, and the first file for what waits can't be made.
      breakIt: async () => {
        await own.stop()
        await mkdir(join(spill, '000000000001.jsonl'))
      },
    }
  })

  test('posts the result, with its id and its own headers', async () => {
    const sink = await open({ headers: { Authorization: 'Bearer abc', 'x-place': 'door' } })
    const answer = createAnswer('Ünïcode.')
    await sink.write(answer)
    await sink.close?.()
    const [request] = receiver.received
    expect(request).toMatchObject({
      method: 'POST',
      url: '/hooks/path-token?key=query-token',
      headers: {
        'content-type': 'application/json',
        'idempotency-key': answer.id,
        'x-tinyllava-timestamp': String(time.now() / 1000),
        authorization: 'Bearer abc',
        'x-place': 'door',
      },
    })
    expect(request?.headers).not.toHaveProperty('x-tinyllava-signature')
    expect(JSON.parse(request?.body ?? '')).toEqual(answer)
  })

  test('signs timestamp and body, as its document says how to check', async () => {
    const sink = await open({ secret: 'shared' })
    await sink.write(createAnswer('Yes.'))
    const { headers, body } = firstRequest()
    const isOurs = (secret: string, signedBody: string): boolean => {
      const timestamp = String(headers['x-tinyllava-timestamp'])
      const signature = String(headers['x-tinyllava-signature'])
      expect(signature).toMatch(/^sha256=[0-9a-f]{64}$/)
      const expected = createHmac('sha256', secret).update(`${timestamp}.${signedBody}`).digest()
      const given = Buffer.from(signature.replace('sha256=', ''), 'hex')
      return given.length === expected.length && timingSafeEqual(given, expected)
    }
    expect(isOurs('shared', body)).toBe(true)
    expect(isOurs('another', body)).toBe(false)
    expect(isOurs('shared', body.replace('Yes', 'No'))).toBe(false)
  })

  test('reads the secret from the environment, and sends a login of the address as a header', async () => {
    process.env.WEBHOOK_TEST_SECRET = 'from outside'
    const sink = await open({ secretEnv: 'WEBHOOK_TEST_SECRET' }, receiver.url.replace('//', '//user:p%40%ss@'))
    delete process.env.WEBHOOK_TEST_SECRET
    await sink.write(createAnswer('Yes.'))
    const { headers, body } = firstRequest()
    const signature = createHmac('sha256', 'from outside').update(`${String(headers['x-tinyllava-timestamp'])}.${body}`)
    expect(headers['x-tinyllava-signature']).toBe(`sha256=${signature.digest('hex')}`)
    expect(headers.authorization).toBe(`Basic ${Buffer.from('user:p@%ss').toString('base64')}`)
  })

  test('passes over kinds that it isn’t asked for', async () => {
    const sink = await open({ kinds: ['alert', 'error'] })
    await sink.write(createAnswer('Yes.'))
    expect(receiver.received).toEqual([])
  })

  test('500 is tried again, later each time, until it works', async () => {
    receiver.replies.push({ status: 500 }, { status: 503 }, { status: 502 })
    const sink = await open({ retry: { maxDelayMs: 1500 } })
    const writing = sink.write(createAnswer('Yes.'))
    for (const delayMs of [500, 1000, 1500]) {
      await time.whenWaiting(delayMs)
      time.advance(delayMs)
    }
    await writing
    expect(receiver.received).toHaveLength(4)
    expect(new Set(receiver.received.map(({ body }) => body)).size).toBe(1)
    expect(notices).toEqual([])
  })

  test('chance makes a wait shorter by up to half', async () => {
    time = createFakeTime(0.5)
    receiver.replies.push({ status: 500 })
    const writing = (await open()).write(createAnswer('Yes.'))
    await time.whenWaiting(375)
    time.advance(375)
    await writing
  })

  test.each([
    ['seconds', '120', 120_000],
    ['a date', 'Mon, 23 Nov 2026 10:17:00 GMT', 120_000],
    ['more than the most that is obeyed', '7200', 300_000],
    ['less than the wait anyway', '0', 500],
    ['nonsense', 'soon', 500],
  ])('429 with `Retry-After` as %s', async (_name, retryAfter, waitMs) => {
    receiver.replies.push({ status: 429, headers: { 'retry-after': retryAfter } })
    const writing = (await open()).write(createAnswer('Yes.'))
    await time.whenWaiting(waitMs)
    time.advance(waitMs)
    await writing
    expect(receiver.received).toHaveLength(2)
  })

  test('an end that never answers is given up after the time limit, and tried again', async () => {
    receiver.replies.push('never')
    const writing = (await open({ timeLimitMs: 7000 })).write(createAnswer('Yes.'))
    await receiver.whenReceived(1)
    time.advance(7000)
    await time.whenWaiting(500)
    time.advance(500)
    await writing
    expect(receiver.received).toHaveLength(2)
  })

  test('without a spill a write waits while the other end is down for a minute', async () => {
    await receiver.stop()
    const sink = await open({ circuit: { failuresToOpen: 2, probeEveryMs: 60_000 } })
    const writing = sink.write(createAnswer('Yes.'))
    await time.whenWaiting(500)
    time.advance(500)
    await time.whenWaiting(60_000)
    await receiver.start()
    time.advance(60_000)
    await writing
    expect(receiver.answers).toEqual(['Yes.'])
    const url = new URL(receiver.url).origin
    expect(notices).toMatchObject([
      { kind: 'sink-circuit-open', sink: 'webhook', fields: { url, reason: 'ECONNREFUSED', failures: 2 } },
      { kind: 'sink-circuit-closed', fields: { url, downMs: 60_000 } },
    ])
  })

  test.each([400, 401, 404, 410, 422])('%i is a refusal: told, not repeated, and the next result goes out', async (status) => {
    receiver.replies.push({ status })
    const sink = await open()
    await sink.write(createAnswer('bad'))
    await sink.write(createAnswer('good'))
    expect(receiver.answers).toEqual(['bad', 'good'])
    const { id } = createAnswer('bad')
    expect(notices).toMatchObject([{ kind: 'sink-refused', fields: { id, reason: `it answered ${status}`, isKept: false } }])
    await expect(sink.close?.()).rejects.toMatchObject({
      code: 'SINK_FAILED',
      message: `${new URL(receiver.url).origin} refused 1 results, which are kept nowhere.`,
    })
  })

  test('a redirect is not followed: it is a refusal', async () => {
    const elsewhere = await Receiver.start()
    receiver.replies.push({ status: 307, headers: { location: elsewhere.url } })
    await (await open()).write(createAnswer('Yes.'))
    await elsewhere.stop()
    expect(elsewhere.received).toEqual([])
    expect(notices).toMatchObject([{ kind: 'sink-refused', fields: { reason: 'it answered 307' } }])
  })

  test('`maxAttempts` answers make a refusal; requests without an answer don’t count', async () => {
    await receiver.stop()
    const sink = await open({ retry: { minDelayMs: 100, maxDelayMs: 100, maxAttempts: 2 } })
    const writing = sink.write(createAnswer('poison'))
    for (let tries = 0; tries < 3; tries += 1) {
      await time.whenWaiting(100)
      time.advance(100)
    }
    await time.whenWaiting(100)
    await receiver.start()
    receiver.replies.push({ status: 500 }, { status: 500 })
    time.advance(100)
    await time.whenWaiting(30_000)
    time.advance(30_000)
    await writing
    expect(notices.at(-1)).toMatchObject({ kind: 'sink-refused', fields: { reason: 'it answered 500, 2 times' } })
  })

  test('`close` waits for what is being sent, then gives it up and says so', async () => {
    await receiver.stop()
    const sink = await open({ closeLimitMs: 5000 })
    const writing = sink.write(createAnswer('Yes.'))
    const written = expect(writing).rejects.toMatchObject({ code: 'SINK_FAILED' })
    await time.whenWaiting(500)
    const closing = expect(sink.close?.()).rejects.toMatchObject({
      code: 'SINK_FAILED',
      message: expect.stringContaining(createAnswer('').id) as unknown,
    })
    await time.whenWaiting(5000)
    time.advance(5000)
    await Promise.all([written, closing])
    await expect(sink.write(createAnswer('late'))).rejects.toMatchObject({ code: 'SINK_FAILED' })
  })

  test('`close` breaks off a request that isn’t answered', async () => {
    receiver.reply = 'never'
    const sink = await open({ closeLimitMs: 1000 })
    const written = expect(sink.write(createAnswer('Yes.'))).rejects.toMatchObject({ code: 'SINK_FAILED' })
    await receiver.whenReceived(1)
    const closing = expect(sink.close?.()).rejects.toMatchObject({ code: 'SINK_FAILED' })
    time.advance(1000)
    await Promise.all([written, closing])
  })

  test('no notice and no error holds more of the address than its host, a header or the secret', async () => {
    const secrets = ['path-token', 'query-token', 'login', 'password', 'bearer', 'shared']
    receiver.replies.push({ status: 400 }, { status: 500 })
    const url = receiver.url.replace('//', '//login:password@')
    const options = { headers: { authorization: 'bearer' }, secret: 'shared', circuit: { failuresToOpen: 1 }, closeLimitMs: 0 }
    const sink = await open(options, url)
    await sink.write(createAnswer('bad'))
    const writing = sink.write(createAnswer('Yes.'))
    const [written, closed] = await Promise.all([writing.catch(String), sink.close?.().catch(String)])
    expect(noticeKinds()).toContain('sink-refused')
    const told = JSON.stringify([notices, written, closed])
    expect(secrets.filter((secret) => told.includes(secret))).toEqual([])
  })

  test('results go out in order, each under its id', async () => {
    const sink = await open()
    for (const text of ['1', '2', '3']) await sink.write({ ...createAnswer(text), id: text.repeat(64) } satisfies Answer)
    expect(receiver.answers).toEqual(['1', '2', '3'])
    expect(receiver.received.map(({ headers }) => headers['idempotency-key'])).toEqual(['1', '2', '3'].map((one) => one.repeat(64)))
  })
})

describe('settings of webhook', () => {
  const refusal = (url: unknown, options: unknown): unknown => {
    try {
      webhook(url as string, options as WebhookOptions)
    } catch (error) {
      return error
    }
    return undefined
  }

  test.each([
    ['ftp://host/', {}, 'http or https'],
    ['not an address with hidden-value', {}, 'http or https'],
    [undefined, {}, 'http or https'],
    ['http://host/', { headers: { 'content-type': 'hidden-value' } }, '`headers.content-type`: The sink sets this header itself'],
    ['http://host/', { headers: { 'x-token': 'hidden-value\nmore' } }, '`headers.x-token`'],
    ['http://host/', { secret: 'hidden-value', secretEnv: 'ANY' }, '`secretEnv`'],
    ['http://host/', { secretEnv: 'WEBHOOK_TEST_NOT_SET' }, 'WEBHOOK_TEST_NOT_SET'],
    ['http://host/', { secret: '', timeLimitMs: 0, kinds: ['news'] }, '`timeLimitMs`'],
    ['http://host/', { retry: { maxAttempts: 0 }, circuit: { probeEveryMs: 2 ** 31 } }, '`circuit.probeEveryMs`'],
    ['http://host/', { spill: { maxBytes: 5 } }, '`spill.folder`'],
    ['http://host/', { retries: 5 }, 'retries'],
  ])('refuses %s with %o, and shows no value', (url, options, message) => {
    const error = refusal(url, options)
    expect(error).toMatchObject({ code: 'SETTING_INVALID', message: expect.stringContaining(message) as unknown })
    expect(String(error)).not.toContain('hidden-value')
  })
})

test.each([
  [null, undefined],
  ['', undefined],
  ['5', 5000],
  [' 5 ', 5000],
  ['Thu, 01 Jan 1970 00:00:10 GMT', 9000],
  ['Thu, 01 Jan 1970 00:00:00 GMT', 0],
])('readRetryAfter(%j) is %j', (value, waitMs) => {
  expect(readRetryAfter(value, 1000)).toBe(waitMs)
})
