import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { describe, expect, test } from 'vitest'
import { z } from 'zod'

import { alertId, resultId, resultJsonSchema, resultSchema } from '../src/envelope.js'
import type { ResultIdentity } from '../src/envelope.js'
import { createAnswer } from './sinks/contract.js'

const published = fileURLToPath(new URL('../schema/answer.schema.json', import.meta.url))

const identity: ResultIdentity = {
  streamId: 'clip',
  epoch: 0,
  framesPtsMs: [0, 33.367, 66.733],
  question: 'What?',
  template: 'qwen2_base',
  generation: { maxNewTokens: 512, temperature: 0, topP: 1, seed: 0 },
  bundleDigest: 'd'.repeat(64),
}
const sampled = { ...identity.generation, temperature: 0.5 }

describe('resultId', () => {
  test('never changes: a replay years later gives the same id', () => {
    expect(resultId(identity)).toBe('04803b48d0334ca9fb002aa584f3e3d36840cc072f46cc416558b4f11a0eae88')
    expect(resultId({ ...identity, generation: sampled })).toBe(
      '3b8bcc45a302f331f414f8d5ba219e33fa7a60bd4738db5993762d5110e64e82',
    )
  })

  test.each<Partial<ResultIdentity>>([
    { streamId: 'other' },
    { epoch: 1 },
    { framesPtsMs: [0, 33.367] },
    { framesPtsMs: [0, 33.368, 66.733] },
    { question: 'Who?' },
    { template: 'phi' },
    { generation: { ...identity.generation, maxNewTokens: 8 } },
    { generation: sampled },
    { bundleDigest: 'e'.repeat(64) },
  ])('depends on %j', (change) => {
    expect(resultId({ ...identity, ...change })).not.toBe(resultId(identity))
  })

  test('depends on the seed and top-p only where tokens are sampled', () => {
    const idOf = (generation: ResultIdentity['generation']) => resultId({ ...identity, generation })
    expect(idOf({ ...identity.generation, seed: 9, topP: 0.5 })).toBe(resultId(identity))
    expect(idOf({ ...sampled, seed: 9 })).not.toBe(idOf(sampled))
    expect(idOf({ ...sampled, topP: 0.5 })).not.toBe(idOf(sampled))
  })

  test('reads times in whole microseconds, so that float noise is no difference', () => {
    expect(resultId({ ...identity, framesPtsMs: [0, 33.367 + 1e-9, 66.733] })).toBe(resultId(identity))
  })
})

test('alertId never changes, and depends on the answer, the name and the state', () => {
  const of = { answerId: resultId(identity), name: 'door', state: 'raised' } as const
  expect(alertId(of)).toBe('6d635e0551dc67a88db6c12ce61d61ef6b6c46c9145527976c722c3c11eeee04')
  const others = [{ ...of, answerId: 'a'.repeat(64) }, { ...of, name: 'gate' }, { ...of, state: 'cleared' } as const]
  expect(new Set([of, ...others].map(alertId)).size).toBe(4)
})

describe('the schema of results', () => {
  test('takes an answer, also through JSON', () => {
    const answer = createAnswer('A circle.')
    expect(resultSchema.parse(JSON.parse(JSON.stringify(answer)))).toEqual(answer)
  })

  test('takes an error result, told apart by its kind', () => {
    const { schema, id, pipeline, source, clip, question, model, degraded } = createAnswer('')
    const shared = { schema, id, pipeline, source, clip, question, model, degraded }
    const error = { kind: 'error', ...shared, error: { code: 'MODEL_FAILED', message: 'It failed.' } }
    expect(resultSchema.parse(error)).toEqual(error)
  })

  test('takes an alert', () => {
    const { schema, id, pipeline, source, clip, question, model, degraded } = createAnswer('')
    const shared = { schema, id, pipeline, source, clip, question, model, degraded }
    const since = { epoch: 0, ptsMs: 500, capturedAt: null }
    const facts = { name: 'door', state: 'raised', since, answerId: id, answer: 'Yes.' }
    const alert = { kind: 'alert', ...shared, alert: facts }
    expect(resultSchema.parse(alert)).toEqual(alert)
    expect(resultSchema.safeParse({ ...alert, alert: { ...facts, state: 'unknown' } }).success).toBe(false)
    expect(resultSchema.safeParse({ ...alert, alert: { ...facts, answerId: 'abc' } }).success).toBe(false)
  })

  test.each([
    { kind: 'alert' },
    { id: 'abc' },
    { schema: 'tinyllava-stream/answer/2' },
    { finishReason: 'error' },
    { clip: { ...createAnswer('').clip, coverage: 1.5 } },
    { clip: { ...createAnswer('').clip, frames: [] } },
  ])('refuses %j', (change) => {
    expect(resultSchema.safeParse({ ...createAnswer(''), ...change }).success).toBe(false)
  })

  test('takes what a later version of this major one adds', () => {
    expect(resultSchema.safeParse({ ...createAnswer(''), later: true }).success).toBe(true)
  })
})

describe('the published JSON Schema', () => {
  const schema: unknown = JSON.parse(readFileSync(published, 'utf8'))

  test('is that of the code (`npx vitest run tests/envelope.test.ts -u` writes it anew)', async () => {
    await expect(`${JSON.stringify(resultJsonSchema(), undefined, 2)}\n`).toMatchFileSnapshot(published)
  })

  test('takes an answer and refuses what is none', () => {
    const read = z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0])
    expect(read.safeParse(createAnswer('A circle.')).success).toBe(true)
    expect(read.safeParse({ ...createAnswer('A circle.'), later: true }).success).toBe(true)
    expect(read.safeParse({ ...createAnswer(''), id: 'abc' }).success).toBe(false)
  })
})
