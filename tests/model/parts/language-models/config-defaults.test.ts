/** A key that equals its class default is not saved, so our defaults must be transformers 4.40.1's. */
import { readFileSync } from 'node:fs'

import { expect, test } from 'vitest'
import { z } from 'zod'

import type { CheckpointConfig } from '../../../../src/model/checkpoint/config.js'
import { gemmaConfigSchema } from '../../../../src/model/parts/language-models/gemma.js'
import { languageModels } from '../../../../src/model/parts/language-models/language-models.js'
import { llamaConfigSchema } from '../../../../src/model/parts/language-models/llama.js'
import { openelmConfigSchema } from '../../../../src/model/parts/language-models/openelm-config.js'
import { phiConfigSchema } from '../../../../src/model/parts/language-models/phi.js'
import { qwen2ConfigSchema } from '../../../../src/model/parts/language-models/qwen2.js'
import { stablelmConfigSchema } from '../../../../src/model/parts/language-models/stablelm.js'
import { referencePath } from '../../../support/golden.js'

const fieldsSchema = z.record(z.string(), z.unknown())
const readJson = (path: string): unknown => JSON.parse(readFileSync(referencePath(path), 'utf8'))
const defaults = z.record(z.string(), fieldsSchema).parse(readJson('config-defaults.json'))
const sizes = z.object({
  defaults: fieldsSchema,
  sizes: z.record(z.string(), z.object({
    config: fieldsSchema, heads: z.array(z.int()), keyValueHeads: z.array(z.int()), inner: z.array(z.int()),
  })),
}).parse(readJson('openelm-sizes.json'))

/** A checkpoint that says this of its language model. */
const checkpoint = (text: Record<string, unknown>): CheckpointConfig => {
  const config: Partial<CheckpointConfig> = { text_config: text, vision_config: {} }
  return config as CheckpointConfig
}

/** What a schema makes of a configuration that says nothing; fields that stay empty follow from others. */
const filled = (schema: z.ZodType): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fieldsSchema.parse(schema.parse({}))).filter(([, value]) => value !== undefined))

test.each([
  ['qwen2', qwen2ConfigSchema], ['phi', phiConfigSchema], ['llama', llamaConfigSchema], ['stablelm', stablelmConfigSchema], ['gemma', gemmaConfigSchema],
] as const)('%s: every field', (name, schema) => {
  const fields = filled(schema)
  expect(Object.keys(fields).length).toBeGreaterThan(9)
  expect(defaults[name]).toMatchObject(fields)
})

test('openelm: every field but those that are kept layer by layer', () => {
  const { ffn_multipliers: ofLayers, ...fields } = filled(openelmConfigSchema)
  expect(Object.keys(fields).length).toBeGreaterThan(9)
  expect(sizes.defaults).toMatchObject(fields)
  expect(new Set(sizes.defaults.ffn_multipliers as number[])).toEqual(new Set([ofLayers]))
})

test.each([
  ['qwen2', 128, 128], ['phi', 64, 32], ['llama', 128, 128], ['stablelm', 80, 20], ['gemma', 256, 256],
] as const)('%s: shape of a model that says nothing', (name, headSize, rotated) => {
  const expected = defaults[name] ?? {}
  const shape = languageModels.get(name).describe(checkpoint({}))
  const heads = expected.num_attention_heads
  expect(shape).toEqual({
    width: expected.hidden_size,
    layers: new Array(Number(expected.num_hidden_layers)).fill({ heads, keyValueHeads: expected.num_key_value_heads ?? heads }),
    headSize,
    vocabularySize: expected.vocab_size,
    rotary: { rotated, theta: expected.rope_theta, factor: 1 },
    maxPositions: expected.max_position_embeddings,
    endsAtMaxPositions: false,
    eosTokenIds: name === 'qwen2' ? [] : [expected.eos_token_id],
  })
})

test.each(Object.entries(sizes.sizes))('openelm, %s: heads and widths of each layer', (_, { config, heads, keyValueHeads }) => {
  const { layers } = languageModels.get('openelm').describe(checkpoint(config))
  expect(layers.map((layer) => layer.heads)).toEqual(heads)
  expect(layers.map((layer) => layer.keyValueHeads)).toEqual(keyValueHeads)
})
