import { writeFileSync } from 'node:fs'
import { Tensor } from 'onnxruntime-node'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { closeGate, createGate } from '../../../src/model/runtime/native-gate.js'
import { floatOutput, openSession } from '../../../src/model/runtime/session.js'
import { planThreads } from '../../../src/model/runtime/threads.js'
import { type ConvertedCase, convertCase, readCase } from '../../support/cases.js'
import { temporaryFolder } from '../../support/checkpoint-files.js'

let bundle: ConvertedCase
beforeAll(async () => {
  bundle = await convertCase(readCase('qwen2-stop'), 'fused')
})
afterAll(() => {
  bundle.remove()
})

const { embedTokens: threads } = planThreads(1)
const ids = (...values: readonly bigint[]): Tensor => new Tensor('int64', BigInt64Array.from(values), [1, values.length])

test('runs a graph', async () => {
  const session = await openSession(bundle.directory, 'embedTokens', threads, createGate())
  const { width } = bundle.manifest.languageModel
  const outputs = await session.run({ input_ids: ids(1n, 2n, 1n) })
  const embeddings = floatOutput(session, outputs, 'inputs_embeds', 3 * width)
  expect(embeddings.slice(0, width)).toEqual(embeddings.slice(2 * width))
})

test('a run that fails is MODEL_FAILED, naming the graph', async () => {
  const session = await openSession(bundle.directory, 'embedTokens', threads, createGate())
  await expect(session.run({ input_ids: ids(1_000_000n) })).rejects.toMatchObject({
    code: 'MODEL_FAILED',
    message: expect.stringContaining('embed_tokens.onnx') as unknown,
  })
})

test('a file that is no graph is MODEL_FAILED, naming it', async () => {
  const folder = temporaryFolder()
  writeFileSync(folder.file('connector.onnx'), 'not a graph')
  await expect(openSession(folder.path, 'connector', threads, createGate())).rejects.toMatchObject({
    code: 'MODEL_FAILED',
    message: expect.stringContaining('connector.onnx') as unknown,
  })
  folder.remove()
})

test('an output of another size or name is MODEL_FAILED', async () => {
  const session = await openSession(bundle.directory, 'embedTokens', threads, createGate())
  const outputs = await session.run({ input_ids: ids(1n) })
  expect(() => floatOutput(session, outputs, 'inputs_embeds', 7)).toThrow(expect.objectContaining({ code: 'MODEL_FAILED' }))
  expect(() => floatOutput(session, outputs, 'logits')).toThrow(/type none/)
})

test('nothing runs once the gate is closed', async () => {
  const gate = createGate()
  const session = await openSession(bundle.directory, 'embedTokens', threads, gate)
  closeGate(gate)
  await expect(session.run({ input_ids: ids(1n) })).rejects.toMatchObject({ code: 'MODEL_DISPOSED' })
})
