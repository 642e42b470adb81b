import { randomBytes } from 'node:crypto'
import { test, expect } from 'vitest'
import kafkajs from 'kafkajs'
import { createClient } from '../../src/kafka/connection.js'
import { client, createTopics } from './harness.js'
const b = process.env.KAFKA_BROKERS ?? ''
const sets: Record<string, string[]> = { x: ['x'], rand: [randomBytes(100_000).toString('hex')], rep: ['a frame and '.repeat(50_000)], randx: [randomBytes(100_000).toString('hex'), 'x'], repx: ['a frame and '.repeat(50_000), 'x'], all: [randomBytes(100_000).toString('hex'), 'a frame and '.repeat(50_000), 'x'] }
for (const [n, vs] of Object.entries(sets)) test(n, async () => {
  const t = (await createTopics(client(b), 1, { 'compression.type': 'producer' })).input
  const p = createClient({ brokers: [b] }).producer({ idempotent: true, maxInFlightRequests: 1, retry: { retries: 1 } })
  await p.connect()
  let r: unknown = 'ok'
  try { await p.send({ topic: t, messages: vs.map((value) => ({ key: 'key', value })), compression: kafkajs.CompressionTypes.ZSTD }) } catch (e) { r = String(e) }
  await p.disconnect()
  console.log(n, process.version, r)
  expect(r).toBe('ok')
})
