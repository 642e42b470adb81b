/** Real threads, which run from `dist/`. */
import { afterEach, expect, test } from 'vitest'

import { type QuantisePool, createQuantisePool } from '../../../src/model/quantise/pool.js'
import type { QuantiseJob } from '../../../src/model/quantise/protocol.js'
import { quantiseRows } from '../../../src/model/quantise/quantise-rows.js'
import { seededNormals } from '../../support/seeded.js'

let pool: QuantisePool
afterEach(async () => { await pool.close() })

const format = { bits: 4, blockSize: 32, scaleType: 'float32' } as const
const columns = 64

const job = (values: Float32Array): QuantiseJob =>
  ({ tensor: 'layers.3.weight', raw: new Uint8Array(values.slice().buffer), elementType: 'F32', columns, format })

test('gives what quantising on this thread gives, with more jobs than threads', async () => {
  pool = createQuantisePool(2)
  const inputs = Array.from({ length: 9 }, (_, index) => seededNormals(columns * 30, index + 1))
  const results = await Promise.all(inputs.map((values) => pool.run(job(values))))
  expect(results).toEqual(inputs.map((values) => quantiseRows(values, columns, format)))
  expect(pool.jobsAtOnce).toBe(4)
})

test('names the tensor whose value can\'t be quantised, and goes on', async () => {
  pool = createQuantisePool(1)
  const values = seededNormals(columns)
  const message: unknown = expect.stringMatching(/layers\.3\.weight/)
  await expect(pool.run(job(Float32Array.from(values, (value, index) => (index === 7 ? NaN : value)))))
    .rejects.toMatchObject({ code: 'CHECKPOINT_UNSUPPORTED', message })
  expect(await pool.run(job(values))).toEqual(quantiseRows(values, columns, format))
})

test('jobs under way when it is closed reject', async () => {
  pool = createQuantisePool(1)
  const running = pool.run(job(seededNormals(columns * 1000)))
  const outcome = expect(running).rejects.toMatchObject({ code: 'MODEL_WORKER_DIED' })
  await pool.close()
  await outcome
})
