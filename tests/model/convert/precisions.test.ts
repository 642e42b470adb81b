/** Which part is converted to what, and which wishes are refused. */
import { describe, expect, test } from 'vitest'

import { type PrecisionOptions, planPrecisions } from '../../../src/model/convert/precisions.js'

const exact = { weights: 'fp32', activations: 'float32' }
const half = { weights: 'fp16', activations: 'float16' }
const int8 = { weights: 'int8', activations: 'float32', blockSize: 128 }
const int4 = { weights: 'int4', activations: 'float32', blockSize: 32 }
const in16 = { activations: 'float16' }
const dynamic = { weights: 'int8-dynamic', activations: 'float32' }

test.each([
  [{}, 'fp32', exact, exact, exact],
  [{ precision: 'fp16' }, 'fp16', half, half, half],
  [{ precision: 'int8' }, 'int8', int8, int8, int8],
  // 4 bits for the tower only where they are asked for, for the connector never.
  [{ precision: 'int4' }, 'int4', int8, int8, int4],
  [{ precision: 'int4', visionPrecision: 'int4' }, 'int4', int4, int8, int4],
  [{ precision: 'int4', visionPrecision: 'fp32' }, 'int4', exact, exact, int4],
  [{ llmPrecision: 'int4' }, 'int4', exact, exact, int4],
  [{ precision: 'int8', llmPrecision: 'fp32' }, 'fp32', int8, int8, exact],
  [{ visionPrecision: 'int8-dynamic' }, 'fp32', dynamic, int8, exact],
  [{ precision: 'int4', blockSize: 64 }, 'int4', { ...int8, blockSize: 64 }, { ...int8, blockSize: 64 }, { ...int4, blockSize: 64 }],
  [{ precision: 'int4', activations: 'float16' }, 'int4', { ...int8, ...in16 }, { ...int8, ...in16 }, { ...int4, ...in16 }],
  // What is not in blocks computes in what it always does.
  [{ precision: 'int4', visionPrecision: 'int8-dynamic', activations: 'float16' }, 'int4', dynamic, { ...int8, ...in16 }, { ...int4, ...in16 }],
] as const)('%j', (options: PrecisionOptions, precision, visionTower, connector, languageModel) => {
  expect(planPrecisions(options)).toEqual({ precision, precisions: { visionTower, connector, languageModel } })
})

describe('refuses', () => {
  test.each([
    ['an unknown precision', { precision: 'int3' }, /`precision` to be fp32 or fp16 or int8 or int4/],
    ['a tower\'s precision for the language model', { llmPrecision: 'int8-dynamic' }, /`llmPrecision`/],
    ['an unknown precision of the tower', { visionPrecision: 'int8_dynamic' }, /`visionPrecision` to be .*int8-dynamic/],
    ['a block size that is not offered', { precision: 'int4', blockSize: 48 }, /`blockSize` to be 32 or 64 or 128, got `48`/],
    ['a block size as text', { precision: 'int4', blockSize: '32' }, /`blockSize`/],
    ['unknown activations', { precision: 'int4', activations: 'bfloat16' }, /`activations` to be float32 or float16/],
    ['activations where nothing has blocks', { activations: 'float16' }, /`activations` is for int8 and int4 alone/],
    ['a block size where nothing has blocks', { precision: 'fp16', blockSize: 32 }, /nothing is converted to one of them/],
  ])('%s', (_, options, message) => {
    const wrong: unknown = expect.objectContaining({ code: 'SETTING_INVALID', message: expect.stringMatching(message) as unknown })
    expect(() => planPrecisions(options as never)).toThrow(wrong)
  })
})
