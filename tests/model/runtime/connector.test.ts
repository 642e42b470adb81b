import { Tensor } from 'onnxruntime-node'
import { expect, test } from 'vitest'
import { type ConnectorSessions, connectClip } from '../../../src/model/runtime/connector.js'
import type { ConnectJob, ConnectResult } from '../../../src/model/runtime/protocol.js'
import { fakeSession, languageModel } from './fake-model.js'

const frame = (value: number) => ({ data: new Float32Array(4).fill(value), tokens: 2, width: 2 })
const manifest = (framesAlone?: number | 'always') => ({
  languageModel: { ...languageModel, width: 2 },
  connector: { name: 'fake', ...(framesAlone !== undefined && { framesAlone }) },
})

/** A connector whose tokens are a frame's first value; joining adds 100. */
function fakeConnectors() {
  const connector = fakeSession('connector', () => ({ visual_tokens: new Tensor('float32', new Float32Array(8), [4, 2]) }))
  const condense = fakeSession('frameConnector', ({ features }) => {
    const value = (features?.data as Float32Array)[0] ?? NaN
    return { frame_tokens: new Tensor('float32', [value, value], [1, 2]) }
  })
  const join = fakeSession('joinFrames', ({ frame_tokens: tokens }) => ({
    visual_tokens: new Tensor('float32', (tokens?.data as Float32Array).map((value) => value + 100), tokens?.dims ?? []),
  }))
  return { connector, alone: { condense, join } }
}

/** Runs to the end. @returns the result and how often it could have been left. */
async function finish(runs: AsyncGenerator<void, ConnectResult>): Promise<{ result: ConnectResult; pauses: number }> {
  for (let pauses = 0; ; pauses += 1) {
    const { done, value } = await runs.next()
    if (done === true) return { result: value, pauses }
  }
}

const connect = (sessions: ConnectorSessions, frames: ConnectJob['frames'], framesAlone?: number | 'always') =>
  finish(connectClip(sessions, { kind: 'connect', frames }, manifest(framesAlone)))

test('stacks the frames in order, and says how many visual tokens came out', async () => {
  const sessions = fakeConnectors()
  const { result } = await connect(sessions, [frame(1), frame(2)], 3)
  expect(result).toMatchObject({ visual: { tokens: 4, width: 2 }, condensed: [] })
  expect(sessions.connector.runs[0]?.features?.dims).toEqual([2, 2, 2])
  expect(Array.from(sessions.connector.runs[0]?.features?.data as Float32Array)).toEqual([1, 1, 1, 1, 2, 2, 2, 2])
})

test('condenses one by one only the frames that were not before, with a pause after each, and joins all', async () => {
  const sessions = fakeConnectors()
  const { result, pauses } = await connect(sessions, [frame(1), { condensed: Float32Array.of(7, 7) }, frame(3)], 3)
  expect(Array.from(result.visual.data)).toEqual([101, 101, 107, 107, 103, 103])
  expect(result.condensed.map(({ condensed }) => condensed[0])).toEqual([1, 3])
  expect(sessions.alone.condense.runs.map(({ features }) => features?.dims)).toEqual([[1, 2, 2], [1, 2, 2]])
  expect(sessions.connector.runs).toHaveLength(0)
  expect(pauses).toBe(2)
})

test('condenses frames that share their features once', async () => {
  const sessions = fakeConnectors()
  const still = frame(4)
  const { result } = await connect(sessions, [still, { ...still }, frame(5)], 3)
  expect(Array.from(result.visual.data)).toEqual([104, 104, 104, 104, 105, 105])
  expect(sessions.alone.condense.runs).toHaveLength(2)
  expect(result.condensed).toHaveLength(3)
})

test('refuses a frame that was condensed for a clip of another length', async () => {
  await expect(connect(fakeConnectors(), [frame(1), { condensed: Float32Array.of(1, 1) }], 3)).rejects.toThrow('another length')
})

test('an output of another size is MODEL_FAILED', async () => {
  const sessions = { ...fakeConnectors(), connector: fakeSession('connector', () => ({})) }
  await expect(connect(sessions, [frame(1)])).rejects.toMatchObject({ code: 'MODEL_FAILED' })
})

test('connects frames one by one in clips of any number, where each is by itself always', async () => {
  const connector = fakeSession('connector', ({ features }) => ({
    visual_tokens: new Tensor('float32', (features?.data as Float32Array).slice(0, 2), [1, 2]),
  }))
  for (const count of [1, 3]) {
    const frames = Array.from({ length: count }, (_, index) => frame(index))
    const { result, pauses } = await connect({ connector }, frames, 'always')
    expect(Array.from(result.visual.data)).toEqual([0, 0, 1, 1, 2, 2].slice(0, count * 2))
    expect({ tokens: result.visual.tokens, condensed: result.condensed.length, pauses }).toEqual({ tokens: count, condensed: count, pauses: count })
  }
  const before = connector.runs.length
  const { result } = await connect({ connector }, [{ condensed: Float32Array.of(7, 7) }, frame(5)], 'always')
  expect(Array.from(result.visual.data)).toEqual([7, 7, 5, 5])
  expect(connector.runs.slice(before).map(({ features }) => features?.dims)).toEqual([[1, 2, 2]])
})
