import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'

import { StreamError } from '../../../src/errors.js'
import { MESSAGE_HEADERS } from '../../../src/message-headers.js'
import { type RawMessage, readMessage } from '../../../src/sources/kafka/message.js'
import { messageJsonSchema } from '../../../src/sources/kafka/message-schema.js'

const root = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url))
const published = root('schema/message.schema.json')

const BYTES = Uint8Array.of(1, 2, 3)
const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

/** A message with these headers, keyed `door`. */
function raw(headers: Readonly<Record<string, string | Uint8Array>>, change: Partial<RawMessage> = {}): RawMessage {
  return {
    ...{ topic: 'clips', partition: 2, offset: 17n, timestamp: 1_700_000_000_000n },
    ...{ key: Buffer.from('door'), value: BYTES, headers: Object.entries(headers) },
    ...change,
  }
}
const json = (value: unknown, headers: Readonly<Record<string, string>> = {}): RawMessage =>
  raw({ 'content-type': 'application/json', ...headers }, { value: Buffer.from(JSON.stringify(value)) })
const picture = (headers: Readonly<Record<string, string | Uint8Array>>) => raw({ 'content-type': 'image/jpeg', 'pts-ms': '0', ...headers })

function errorOf(message: RawMessage): StreamError {
  try {
    readMessage(message)
  } catch (error) {
    if (error instanceof StreamError) return error
    throw error
  }
  throw new Error('It was not refused.')
}

describe('a clip', () => {
  test.each([
    ['video/mp4', '.mp4'],
    ['video/mp2t', '.ts'],
    ['video/x-matroska', '.mkv'],
    ['video/webm', '.webm'],
    ['Video/MP4; codecs="avc1"', '.mp4'],
  ])('of type %s', (contentType, extension) => {
    expect(readMessage(raw({ 'content-type': contentType }))).toEqual({ kind: 'clip', streamId: 'door', extension, bytes: BYTES })
  })

  test('with questions, a sampling and a trace of its own', () => {
    const message = raw({
      ...{ 'Content-Type': 'video/mp4', 'stream-id': 'gate' },
      ...{ questions: '["Who?","Where?"]', sampling: '{"kind":"fps","fps":2}', traceparent: TRACE, tracestate: 'a=1' },
    })
    expect(readMessage(message)).toEqual({
      ...{ kind: 'clip', streamId: 'gate', extension: '.mp4', bytes: BYTES },
      ...{ questions: ['Who?', 'Where?'], sampling: { kind: 'fps', fps: 2 }, trace: { traceparent: TRACE, tracestate: 'a=1' } },
    })
  })
})

describe('a picture', () => {
  test.each(['image/jpeg', 'image/png', 'IMAGE/WEBP'])('of type %s', (contentType) => {
    const message = raw({
      ...{ 'content-type': contentType, 'pts-ms': '1234.567', 'captured-at': '2026-01-31T12:00:00.5+01:00' },
      ...{ epoch: '3', 'frame-index': '40', 'pixel-kind': 'picture' },
    })
    expect(readMessage(message)).toEqual({
      ...{ kind: 'frame', streamId: 'door', bytes: BYTES },
      ...{ ptsMs: 1234.567, capturedAt: '2026-01-31T12:00:00.5+01:00', epoch: 3, frameIndex: 40, pixelKind: 'picture' },
    })
  })

  test('without a time has that of its message', () => {
    const message = readMessage(raw({ 'content-type': 'image/png' }))
    expect(message).toEqual({ kind: 'frame', streamId: 'door', bytes: BYTES, ptsMs: 1_700_000_000_000 })
  })

  test('with a header twice has the last', () => {
    const headers: [string, string][] = [['content-type', 'image/png'], ['pts-ms', '1'], ['PTS-ms', '2']]
    expect(readMessage(raw({}, { headers }))).toMatchObject({ ptsMs: 2 })
  })
})

describe('a reference', () => {
  test.each([
    [{ uri: 'https://videos.example.com/a.mp4', streamId: 'a' }, { isLive: false }],
    [{ uri: 'file:///data/a.mp4', streamId: 'a', questions: ['Who?'], sampling: { kind: 'uniform', frames: 4 } }, { isLive: false }],
    [{ uri: 'rtsp://camera/live', streamId: 'a', durationMs: 5000 }, { isLive: true }],
    [{ uri: 'RTSPS://camera/live', streamId: 'a', durationMs: 1, sampling: { kind: 'fps', fps: 1 } }, { isLive: true }],
  ])('%j', (reference, extra) => {
    const message = json(reference, { traceparent: TRACE })
    expect(readMessage(message)).toEqual({ kind: 'reference', ...reference, ...extra, trace: { traceparent: TRACE } })
  })

  test('leaves it to the allow list where an address may lead', () => {
    expect(readMessage(json({ uri: 'concat:a|b', streamId: 'a' }))).toMatchObject({ uri: 'concat:a|b', isLive: false })
  })
})

describe('a stream id', () => {
  test('that is an address shows no login', () => {
    const key = Buffer.from('rtsp://admin:secret@camera/live?token=secret')
    expect(readMessage(raw({ 'content-type': 'video/mp4' }, { key }))).toMatchObject({ streamId: 'rtsp://***@camera/live?***' })
    const reference = { uri: 'https://a/b', streamId: 'rtsp://admin:secret@camera/live' }
    expect(readMessage(json(reference))).toMatchObject({ streamId: 'rtsp://***@camera/live' })
  })
})

describe('a malformed trace', () => {
  test.each(['', 'x', TRACE.toUpperCase(), `${TRACE}-x`])('is no trace: %j', (traceparent) => {
    expect(readMessage(picture({ traceparent, tracestate: 'a=1' }))).not.toHaveProperty('trace')
  })

  test('keeps its parent where only the state is too long', () => {
    expect(readMessage(picture({ traceparent: TRACE, tracestate: 'a'.repeat(513) }))).toMatchObject({ trace: { traceparent: TRACE } })
  })
})

describe('refused as MESSAGE_TYPE_UNKNOWN', () => {
  test.each([
    ['no type', {}],
    ['an empty type', { 'content-type': '' }],
    ['bytes of any kind', { 'content-type': 'application/octet-stream' }],
    ['another picture', { 'content-type': 'image/gif' }],
    ['a type that begins alike', { 'content-type': 'video/mp4x' }],
  ])('%s', (_, headers) => {
    const error = errorOf(raw(headers))
    expect(error).toMatchObject({ code: 'MESSAGE_TYPE_UNKNOWN', canRetry: false })
    expect(error.message).toMatch(/^Message 17 of clips\[2\] has .+: video\/mp4, .+, application\/json\.$/)
  })
})

test.each([undefined, new Uint8Array()])('no value is MESSAGE_EMPTY', (value) => {
  expect(errorOf(raw({ 'content-type': 'video/mp4' }, { value }))).toMatchObject({ code: 'MESSAGE_EMPTY', canRetry: false })
})

describe('refused as MESSAGE_INVALID', () => {
  const good = { uri: 'https://a/b', streamId: 'a' }
  const live = { uri: 'rtsp://camera/live', streamId: 'a', durationMs: 1 }
  test.each<[string, RawMessage, string]>([
    ['a type that is no text', raw({ 'content-type': Uint8Array.of(0xff) }), 'header `content-type`'],
    ['no stream', raw({ 'content-type': 'video/mp4' }, { key: undefined }), 'no stream id'],
    ['a key that is no text', raw({ 'content-type': 'video/mp4' }, { key: Uint8Array.of(0xc3, 0x28) }), 'no stream id'],
    ['an empty key', raw({ 'content-type': 'video/mp4' }, { key: new Uint8Array() }), 'key'],
    ['an empty stream', picture({ 'stream-id': ' ' }), 'header `stream-id`'],
    ['a stream with a line break', picture({ 'stream-id': 'a\nb' }), 'header `stream-id`'],
    ['a stream of 257 characters', picture({ 'stream-id': 'a'.repeat(257) }), 'header `stream-id`'],
    ['a time below 0', picture({ 'pts-ms': '-1' }), 'header `pts-ms`'],
    ['a time in words', picture({ 'pts-ms': 'noon' }), 'header `pts-ms`'],
    ['a time finer than microseconds', picture({ 'pts-ms': '0.0001' }), 'header `pts-ms`'],
    ['an empty time', picture({ 'pts-ms': '' }), 'header `pts-ms`'],
    ['no time at all', raw({ 'content-type': 'image/png' }, { timestamp: -1n }), 'header `pts-ms`'],
    ['a day without time', picture({ 'captured-at': '2026-01-31' }), 'header `captured-at`'],
    ['a time without its zone', picture({ 'captured-at': '2026-01-31T12:00:00' }), 'header `captured-at`'],
    ['an epoch below 0', picture({ epoch: '-1' }), 'header `epoch`'],
    ['another kind of pixels', picture({ 'pixel-kind': 'drawing' }), 'header `pixel-kind`'],
    ['a broken place', picture({ 'frame-index': '1.5' }), 'header `frame-index`'],
    ['questions that are no JSON', picture({ questions: 'Who?' }), 'header `questions`'],
    ['no questions', picture({ questions: '[]' }), 'header `questions`'],
    ['an empty question', picture({ questions: '["Who?"," "]' }), 'header `questions`: `[1]`'],
    ['an unknown sampling', raw({ 'content-type': 'video/mp4', sampling: '{"kind":"some"}' }), 'header `sampling`: `kind`'],
    ['a sampling with more', raw({ 'content-type': 'video/mp4', sampling: '{"kind":"all","fps":1}' }), 'header `sampling`'],
    ['a reference that is no JSON', raw({ 'content-type': 'application/json' }), 'value: expected JSON'],
    ['a reference that is no text', raw({ 'content-type': 'application/json' }, { value: Uint8Array.of(0xff) }), 'value: expected JSON'],
    ['a reference of 2 MB', json({ ...good, extra: 'x'.repeat(2e6) }), 'value: expected at most'],
    ['null', json(null), 'expected object'],
    ['a list', json([good]), 'expected object'],
    ['no address', json({ streamId: 'a' }), '`uri`'],
    ['a path', json({ ...good, uri: '/etc/passwd' }), '`uri`'],
    ['an address that is none', json({ ...good, uri: { toString: 'rtsp://' } }), '`uri`'],
    ['no stream id', json({ uri: 'https://a/b' }), '`streamId`'],
    ['a misspelt field', json({ ...good, quesions: ['Who?'] }), 'quesions'],
    ['a duration of a file', json({ ...good, durationMs: 1 }), 'durationMs'],
    ['a camera without an end', json({ ...live, durationMs: undefined }), '`durationMs`'],
    ['a camera of no duration', json({ ...live, durationMs: 0 }), '`durationMs`'],
    ['a camera for more than an hour', json({ ...live, durationMs: 3_600_001 }), '`durationMs`'],
    ['a camera and frames spread up to its end', json({ ...live, sampling: { kind: 'uniform', frames: 4 } }), '`sampling.kind`'],
  ])('%s', (_, message, mistake) => {
    const error = errorOf(message)
    expect(error).toMatchObject({ code: 'MESSAGE_INVALID', canRetry: false })
    expect(error.message).toContain(mistake)
    expect(error.message).toMatch(/^Message 17 of clips\[2\]/)
  })

  test('every mistake at once, without any value', () => {
    const error = errorOf(json({ uri: 'secret', streamId: '', questions: ['secret', 3], sampling: { kind: 'secret' } }))
    for (const field of ['`uri`', '`streamId`', '`questions[1]`', '`sampling.kind`']) expect(error.message).toContain(field)
    const noJson = errorOf(raw({ 'content-type': 'application/json' }, { value: Buffer.from('secret') }))
    for (const { message, cause } of [error, noJson, errorOf(picture({ epoch: 'secret' }))]) {
      expect(`${message} ${String(cause)}`).not.toContain('secret')
    }
  })

  test('a message of bounded length, however many fields are wrong', () => {
    const fields = Object.fromEntries(Array.from({ length: 5000 }, (_, place) => [`field${place}`, 1]))
    expect(errorOf(json(fields)).message.length).toBeLessThan(600)
  })
})

describe('whatever comes', () => {
  const type = fc.constantFrom('video/mp4', 'image/jpeg', 'application/json', 'text/plain')
  const header = fc.tuple(fc.constantFrom(...Object.values(MESSAGE_HEADERS)), fc.oneof(fc.uint8Array(), fc.string(), fc.json()))
  const value = fc.option(fc.oneof(fc.uint8Array(), fc.json().map((text) => Buffer.from(text))), { nil: undefined })

  test('a message is read, or refused with a permanent error', () => {
    const message = fc.record({
      ...{ topic: fc.string(), partition: fc.nat(), offset: fc.bigInt(), timestamp: fc.bigInt() },
      ...{ key: fc.option(fc.uint8Array(), { nil: undefined }), value },
      headers: fc.tuple(type, fc.array(header)).map(([first, rest]) => [['content-type', first] as const, ...rest]),
    })
    fc.assert(
      fc.property(message, (given) => {
        try {
          const read = readMessage(given)
          expect(read.streamId.trim()).not.toBe('')
        } catch (error) {
          if (!(error instanceof StreamError)) throw error
          expect(error.code).toMatch(/^MESSAGE_/)
          expect(error.canRetry).toBe(false)
        }
      }),
      { numRuns: 2000 },
    )
  })

  test('a reference of any JSON is taken exactly where the published schema takes it', () => {
    const read = z.fromJSONSchema(JSON.parse(readFileSync(published, 'utf8')) as Parameters<typeof z.fromJSONSchema>[0])
    const reference = fc.record(
      {
        uri: fc.oneof(fc.constantFrom('rtsp://c/l', 'RTSP:x', 'https://a/b', 'file:///a', 'x', ''), fc.jsonValue()),
        streamId: fc.oneof(fc.constantFrom('a', '', ' '), fc.jsonValue()),
        questions: fc.oneof(fc.array(fc.constantFrom('Who?', ''), { maxLength: 3 }), fc.jsonValue()),
        sampling: fc.constantFrom({ kind: 'all' }, { kind: 'fps', fps: 1 }, { kind: 'fps' }, { kind: 'uniform', frames: 2 }, null),
        durationMs: fc.oneof(fc.integer({ min: -1, max: 1000 }), fc.jsonValue()),
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(reference, (given) => {
        const isTaken = (() => {
          try {
            return readMessage(json(given)).kind === 'reference'
          } catch {
            return false
          }
        })()
        expect(isTaken).toBe(read.safeParse(JSON.parse(JSON.stringify(given))).success)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('what is published', () => {
  test('is the schema of the code (`npx vitest run tests/sources/kafka/message.test.ts -u` writes it anew)', async () => {
    await expect(`${JSON.stringify(messageJsonSchema(), undefined, 2)}\n`).toMatchFileSnapshot(published)
  })

  test.each(Object.values(MESSAGE_HEADERS))('describes the header %s', (name) => {
    expect(readFileSync(root('docs/MESSAGES.md'), 'utf8')).toMatch(new RegExp(`^\\| \`${name}\` \\|`, 'm'))
  })
})
