/** A key that equals its class default is not saved, so our defaults must be transformers 4.40.1's. */
import { readFileSync } from 'node:fs'

import { expect, test } from 'vitest'
import { z } from 'zod'

import type { CheckpointConfig } from '../../../src/model/checkpoint/config.js'
import { phi } from '../../../src/model/parts/language-models/phi.js'
import { qwen2 } from '../../../src/model/parts/language-models/qwen2.js'
import { siglip } from '../../../src/model/parts/towers/siglip.js'
import { referencePath } from '../../support/golden.js'

const integer = z.int()
const defaults = z
  .object({
    qwen2: z.object({
      hidden_size: integer, num_hidden_layers: integer, num_attention_heads: integer, num_key_value_heads: integer,
      vocab_size: integer, rope_theta: z.number(), max_position_embeddings: integer,
    }),
    phi: z.object({
      hidden_size: integer, num_hidden_layers: integer, num_attention_heads: integer, vocab_size: integer, rope_theta: z.number(),
      max_position_embeddings: integer, partial_rotary_factor: z.number(), eos_token_id: integer,
    }),
    siglip_vision_model: z.object({ hidden_size: integer, image_size: integer, patch_size: integer }),
  })
  .parse(JSON.parse(readFileSync(referencePath('config-defaults.json'), 'utf8')))

/** A checkpoint that saved nothing of its parts. */
const empty = { text_config: {}, vision_config: {} } as CheckpointConfig

test('Qwen2', () => {
  const expected = defaults.qwen2
  expect(qwen2.describe(empty)).toEqual({
    width: expected.hidden_size,
    layers: expected.num_hidden_layers,
    heads: expected.num_attention_heads,
    keyValueHeads: expected.num_key_value_heads,
    headSize: expected.hidden_size / expected.num_attention_heads,
    rotated: expected.hidden_size / expected.num_attention_heads,
    vocabularySize: expected.vocab_size,
    ropeTheta: expected.rope_theta,
    maxPositions: expected.max_position_embeddings,
    eosTokenIds: [],
  })
})

test('Phi', () => {
  const expected = defaults.phi
  const headSize = expected.hidden_size / expected.num_attention_heads
  expect(phi.describe(empty)).toEqual({
    width: expected.hidden_size,
    layers: expected.num_hidden_layers,
    heads: expected.num_attention_heads,
    keyValueHeads: expected.num_attention_heads,
    headSize,
    rotated: headSize * expected.partial_rotary_factor,
    vocabularySize: expected.vocab_size,
    ropeTheta: expected.rope_theta,
    maxPositions: expected.max_position_embeddings,
    eosTokenIds: [expected.eos_token_id],
  })
})

test('SigLIP', () => {
  const expected = defaults.siglip_vision_model
  const shape = siglip.describe(empty)
  expect(shape.width).toBe(expected.hidden_size)
  expect(shape.pixels.imageSize).toBe(expected.image_size)
  expect(shape.tokens).toBe((expected.image_size / expected.patch_size) ** 2)
})
