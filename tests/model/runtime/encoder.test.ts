import { Tensor } from 'onnxruntime-node'
import { expect, test } from 'vitest'
import { encodePicture } from '../../../src/model/runtime/encoder.js'
import { fakeSession } from './fake-model.js'

const tower = { name: 'fake', imageSize: 1, tokensPerFrame: 2, width: 3 }
const picture = { data: Uint8Array.from({ length: 12 }, (_, index) => index), width: 2, height: 2 }

const preprocess = () =>
  fakeSession('preprocess', () => ({
    pixels: new Tensor('uint8', new Uint8Array(3), [1, 1, 1, 3]),
    near_black: new Tensor('bool', [true], [1]),
  }))
const visionEncoder = (values: number) =>
  fakeSession('visionEncoder', () => ({ features: new Tensor('float32', new Float32Array(values), [1, 2, values / 2]) }))

test('hands the picture to preprocessing, and both of its outputs to the tower', async () => {
  const sessions = { preprocess: preprocess(), visionEncoder: visionEncoder(6) }
  expect(await encodePicture(sessions, tower, picture)).toEqual({ data: new Float32Array(6), tokens: 2, width: 3 })
  expect(sessions.preprocess.runs[0]?.frame?.dims).toEqual([1, 2, 2, 3])
  expect(sessions.preprocess.runs[0]?.frame?.data).toEqual(picture.data)
  expect(sessions.visionEncoder.runs[0]?.near_black?.data).toEqual(Uint8Array.of(1))
})

test('a tower of another size, or preprocessing without its outputs, is MODEL_FAILED', async () => {
  const failed = expect.objectContaining({ code: 'MODEL_FAILED' }) as unknown
  await expect(encodePicture({ preprocess: preprocess(), visionEncoder: visionEncoder(8) }, tower, picture)).rejects.toEqual(failed)
  const empty = fakeSession('preprocess', () => ({}))
  await expect(encodePicture({ preprocess: empty, visionEncoder: visionEncoder(6) }, tower, picture)).rejects.toEqual(failed)
})
