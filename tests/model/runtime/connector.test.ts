import { Tensor } from 'onnxruntime-node'
import { expect, test } from 'vitest'
import { connectFrames } from '../../../src/model/runtime/connector.js'
import { fakeSession } from './fake-model.js'

test('stacks the frames in order, and says how many visual tokens came out', async () => {
  const connector = fakeSession('connector', () => ({ visual_tokens: new Tensor('float32', new Float32Array(8), [2, 4]) }))
  const frames = [Float32Array.of(1, 2, 3, 4), Float32Array.of(5, 6, 7, 8)].map((data) => ({ data, tokens: 2, width: 2 }))
  expect(await connectFrames(connector, frames, 4)).toMatchObject({ tokens: 2, width: 4 })
  expect(connector.runs[0]?.features?.dims).toEqual([2, 2, 2])
  expect(Array.from(connector.runs[0]?.features?.data as Float32Array)).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
})
