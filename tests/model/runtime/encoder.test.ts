import { Tensor } from 'onnxruntime-node'
import { describe, expect, test } from 'vitest'
import { encodePictures } from '../../../src/model/runtime/encoder.js'
import { fakeSession } from './fake-model.js'

const tower = { name: 'fake', imageSize: 1, tokensPerFrame: 2, width: 3, features: 'float32' } as const
const picture = (value: number, side: number) => ({ data: new Uint8Array(side * side * 3).fill(value), width: side, height: side })

/** Takes the first pixel for the whole picture. */
const preprocess = () =>
  fakeSession('preprocess', ({ frame }) => ({
    pixels: new Tensor('uint8', Uint8Array.from((frame?.data as Uint8Array).slice(0, 3)), [1, 1, 1, 3]),
    near_black: new Tensor('bool', [((frame?.data as Uint8Array)[0] ?? 0) <= 1], [1]),
  }))
/** Features of a picture: its first value, six times. */
const visionEncoder = (values = 6) =>
  fakeSession('visionEncoder', ({ pixels }) => {
    const firsts = Array.from(pixels?.data as Uint8Array).filter((_, index) => index % 3 === 0)
    return { features: new Tensor('float32', firsts.flatMap((first) => new Array<number>(values).fill(first)), [firsts.length, 2, values / 2]) }
  })

test('resizes each picture by itself and runs the tower once over all', async () => {
  const sessions = { preprocess: preprocess(), visionEncoder: visionEncoder() }
  const features = await encodePictures(sessions, tower, [picture(9, 2), picture(1, 3)])
  expect(features).toEqual([9, 1].map((value) => ({ data: new Float32Array(6).fill(value), tokens: 2, width: 3 })))
  expect(sessions.preprocess.runs.map(({ frame }) => frame?.dims)).toEqual([[1, 2, 2, 3], [1, 3, 3, 3]])
  expect(sessions.visionEncoder.runs.map(({ pixels }) => pixels?.dims)).toEqual([[2, 1, 1, 3]])
  expect(sessions.visionEncoder.runs[0]?.levels?.data).toEqual(BigInt64Array.of(0n, 1n))
})

test('features of a batch have memory of their own each: one can be handed on without the others', async () => {
  const features = await encodePictures({ preprocess: preprocess(), visionEncoder: visionEncoder() }, tower, [picture(9, 2), picture(8, 2)])
  expect(features.map(({ data }) => data.buffer.byteLength)).toEqual([24, 24])
})

test('features in float16 are bit patterns, each frame\'s with memory of its own; other types are MODEL_FAILED', async () => {
  const half = { ...tower, features: 'float16' } as const
  const bits = (pictures: number): Uint16Array => Uint16Array.from({ length: pictures * 6 }, (_, place) => 0x3c00 + place)
  const session = fakeSession('visionEncoder', ({ pixels }) => {
    const [count = 0] = pixels?.dims ?? []
    return { features: new Tensor('float16', bits(count), [count, 2, 3]) }
  })
  const features = await encodePictures({ preprocess: preprocess(), visionEncoder: session }, half, [picture(9, 2), picture(8, 2)])
  expect(features).toEqual([0, 6].map((from) => ({ data: bits(2).slice(from, from + 6), tokens: 2, width: 3 })))
  expect(features.map(({ data }) => data.buffer.byteLength)).toEqual([12, 12])
  const failed = expect.objectContaining({ code: 'MODEL_FAILED' }) as unknown
  const other = { preprocess: preprocess(), visionEncoder: visionEncoder() }
  await expect(encodePictures(other, half, [picture(9, 2)])).rejects.toEqual(failed)
  await expect(encodePictures({ ...other, visionEncoder: session }, tower, [picture(9, 2)])).rejects.toEqual(failed)
})

test('a feature that float16 has not is MODEL_FAILED', async () => {
  const session = fakeSession('visionEncoder', () => ({ features: new Tensor('float16', Uint16Array.of(0, 0, 0xfc00, 0, 0, 0), [1, 2, 3]) }))
  const half = { ...tower, features: 'float16' } as const
  await expect(encodePictures({ preprocess: preprocess(), visionEncoder: session }, half, [picture(9, 2)]))
    .rejects.toMatchObject({ code: 'MODEL_FAILED', message: expect.stringContaining('--vision-precision fp32') as unknown })
})

test('a tower of another size, or preprocessing without its outputs, is MODEL_FAILED', async () => {
  const failed = expect.objectContaining({ code: 'MODEL_FAILED' }) as unknown
  const wrongSize = { preprocess: preprocess(), visionEncoder: visionEncoder(8) }
  await expect(encodePictures(wrongSize, tower, [picture(9, 2)])).rejects.toEqual(failed)
  const empty = { preprocess: fakeSession('preprocess', () => ({})), visionEncoder: visionEncoder() }
  await expect(encodePictures(empty, tower, [picture(9, 2)])).rejects.toEqual(failed)
})

describe('a picture that is no video\'s frame', () => {
  test('is rescaled however dark it is, and rounded as the reference does it', async () => {
    const sessions = { preprocess: preprocess(), visionEncoder: visionEncoder() }
    await encodePictures(sessions, tower, [picture(1, 3), { ...picture(1, 3), kind: 'picture' }, { ...picture(1, 3), kind: 'frame' }])
    expect(sessions.visionEncoder.runs[0]?.levels?.data).toEqual(BigInt64Array.of(1n, 2n, 1n))
  })

  test('is laid on a square of the tower\'s colour, where it has one; a frame never is', async () => {
    const wide = { data: new Uint8Array(2 * 1 * 3).fill(9), width: 2, height: 1 }
    const padding = { ...tower, padColour: [127, 126, 125] as [number, number, number] }
    const sessions = { preprocess: preprocess(), visionEncoder: visionEncoder() }
    await encodePictures(sessions, padding, [wide, { ...wide, kind: 'picture' }])
    await encodePictures(sessions, tower, [{ ...wide, kind: 'picture' }])
    expect(sessions.preprocess.runs.map(({ frame }) => frame?.dims)).toEqual([[1, 1, 2, 3], [1, 2, 2, 3], [1, 1, 2, 3]])
    expect(Array.from(sessions.preprocess.runs[1]?.frame?.data as Uint8Array)).toEqual([9, 9, 9, 9, 9, 9, 127, 126, 125, 127, 126, 125])
  })
})
