import { describe, expect, test } from 'vitest'
import type { FrameFeatures } from '../../../src/types.js'
import { checkFrames, checkPictures, checkVisual } from '../../../src/model/runtime/input-checks.js'

const refusal = expect.objectContaining({ code: 'SETTING_INVALID' }) as unknown
const tower = { tokensPerFrame: 2, width: 3, features: 'float32' } as const

describe('pictures', () => {
  test('must have the bytes of their size', () => {
    expect(() => checkPictures([{ data: new Uint8Array(11), width: 2, height: 2 }])).toThrow(refusal)
    expect(() => checkPictures([{ data: new Uint8Array(0), width: 0, height: 2 }])).toThrow(refusal)
  })

  test('take along only their own bytes when they are sent', () => {
    const large = new Uint8Array(100).fill(7)
    const [picture] = checkPictures([{ data: large.subarray(10, 22), width: 2, height: 2 }])
    expect(picture?.data.buffer.byteLength).toBe(12)
    expect(picture?.data).toEqual(new Uint8Array(12).fill(7))
    // A pooled `Buffer` is a view on 8 KiB.
    expect(checkPictures([{ data: Buffer.from(new Uint8Array(12)), width: 2, height: 2 }])[0]?.data.buffer.byteLength).toBe(12)
  })

  test('are not copied where they fill their buffer', () => {
    const data = new Uint8Array(12)
    expect(checkPictures([{ data, width: 2, height: 2 }])[0]?.data).toBe(data)
  })
})

describe('frames', () => {
  test('must be there, and of this tower', () => {
    expect(() => checkFrames([], tower)).toThrow(refusal)
    expect(() => checkFrames([{ data: new Float32Array(6), tokens: 3, width: 2 }], tower)).toThrow(refusal)
    expect(() => checkFrames([{ data: new Float32Array(5), tokens: 2, width: 3 }], tower)).toThrow(refusal)
    expect(checkFrames([{ data: new Float32Array(6), tokens: 2, width: 3 }], tower)).toHaveLength(1)
  })

  test.each([
    ['numbers', [1, 2, 3, 4, 5, 6]], ['float64', new Float64Array(6)], ['int16', new Int16Array(6)], ['bytes', new Uint8Array(6)],
  ])('can\'t be %s, which would be taken for something else', (_, data) => {
    const frame = { data, tokens: 2, width: 3 } as unknown as FrameFeatures
    for (const features of ['float32', 'float16'] as const) expect(() => checkFrames([frame], { ...tower, features })).toThrow(refusal)
  })

  test('of float32 that float16 has not are told, not made infinite', () => {
    const frame = { data: Float32Array.of(0, 0, 70_000, 0, 0, 0), tokens: 2, width: 3 }
    const half = { ...tower, features: 'float16' } as const
    expect(() => checkFrames([frame], half)).toThrow(expect.objectContaining({ code: 'MODEL_FAILED' }))
  })

  test('come out in the type that the model keeps features in', () => {
    const half = { ...tower, features: 'float16' } as const
    const [floats, bits] = [Float32Array.of(0, 1, -2, 0.5, 65504, 0.25), Uint16Array.of(0, 0x3c00, 0xc000, 0x3800, 0x7bff, 0x3400)]
    const frame = { tokens: 2, width: 3 }
    expect(checkFrames([{ ...frame, data: floats }], half)).toEqual([{ ...frame, data: bits }])
    expect(checkFrames([{ ...frame, data: bits }], tower)).toEqual([{ ...frame, data: floats }])
    expect(checkFrames([{ ...frame, data: bits }], half)[0]?.data).toBe(bits)
    expect(checkFrames([{ ...frame, data: floats }], tower)[0]?.data).toBe(floats)
  })
})

describe('visual tokens', () => {
  test('must have the width of the language model, and as many values as they say', () => {
    const visual = { data: new Float32Array(8), tokens: 2, width: 4, connectMs: 1 }
    expect(checkVisual(visual, 4)).toEqual(visual)
    expect(() => checkVisual(visual, 5)).toThrow(refusal)
    expect(() => checkVisual({ ...visual, tokens: 3 }, 4)).toThrow(refusal)
  })
})
