import { expect, test } from 'vitest'

import { ropeScaling } from '../../../../src/model/parts/language-models/rope-scaling.js'

test.each([
  [undefined, { factor: 1, endsAtMaxPositions: false }],
  [null, { factor: 1, endsAtMaxPositions: false }],
  [{ type: 'linear', factor: 2.5 }, { factor: 2.5, endsAtMaxPositions: false }],
  [{ type: 'dynamic', factor: 4 }, { factor: 1, endsAtMaxPositions: true }],
])('%j', (raw, expected) => {
  expect(ropeScaling(raw)).toEqual(expected)
})

test.each([
  'linear', { type: 'linear' }, { type: 'linear', factor: 1 }, { type: 'linear', factor: '2' }, { type: 'yarn', factor: 4 },
  { rope_type: 'llama3', factor: 8 }, { type: 'linear', factor: 2, original_max_position_embeddings: 4096 },
])('refuses %j, which the reference would, too', (raw) => {
  expect(() => ropeScaling(raw)).toThrow(expect.objectContaining({
    code: 'CHECKPOINT_UNSUPPORTED', message: expect.stringContaining(`rope_scaling ${JSON.stringify(raw)}`) as unknown,
  }) as Error)
})
