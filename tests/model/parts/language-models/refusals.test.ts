/** Configurations that say something else than the weights, or what no graph can be made of. */
import { rmSync } from 'node:fs'

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { convertCheckpoint } from '../../../../src/model/convert.js'
import { type TemporaryFolder, copyCheckpoint, editConfig, editWeights, temporaryFolder } from '../../../support/checkpoint-files.js'

let folder: TemporaryFolder
beforeAll(() => { folder = temporaryFolder() })
afterAll(() => { folder.remove() })

type Text = Record<string, unknown>
type Refusal = readonly [string, (text: Text) => void, string, RegExp]

const refusals: Readonly<Record<string, readonly Refusal[]>> = {
  openelm: [
    ['wider attention', (text) => { text.qkv_multipliers = [1, 1] }, 'CHECKPOINT_WEIGHTS_INVALID', /layers\.0\.attn\.qkv_proj.*asks for \[96, 64\]/],
    ['other key-value heads', (text) => { text.num_kv_heads = [1, 1, 2] }, 'CHECKPOINT_WEIGHTS_INVALID', /layers\.1\.attn\.qkv_proj/],
    ['another feed-forward network', (text) => { text.ffn_multipliers = [0.5, 1, 4] }, 'CHECKPOINT_WEIGHTS_INVALID', /layers\.1\.ffn\.proj_1/],
    ['more layers than weights', (text) => { text.num_transformer_layers = 4; text.ffn_multipliers = [0.5, 2.25, 4, 4] }, 'CHECKPOINT_TENSOR_MISSING', /layers\.3\.attn/],
    ['norms that are not there', (text) => { text.head_dim = 8 }, 'CHECKPOINT_WEIGHTS_INVALID', /q_norm|qkv_proj/],
    ['norms it does not name', (text) => { text.normalize_qk_projections = false }, 'CHECKPOINT_TENSOR_UNUSED', /k_norm/],
    ['multipliers for other layers', (text) => { text.ffn_multipliers = [1, 1, 1, 1] }, 'CHECKPOINT_UNSUPPORTED', /4 ffn_multipliers for 3 layers/],
    ['no groups', (text) => { text.num_gqa_groups = null }, 'CHECKPOINT_UNSUPPORTED', /num_gqa_groups/],
    ['heads that don\'t share evenly', (text) => { text.num_kv_heads = [1, 3, 2] }, 'CHECKPOINT_CONFIG_INVALID', /3 key-value heads don't divide 4 heads/],
  ],
  llama: [
    ['heads that don\'t divide the width', (text) => { text.num_attention_heads = 5 }, 'CHECKPOINT_CONFIG_INVALID', /5 heads don't divide a width of 64/],
    ['biases that are not there', (text) => { text.attention_bias = true }, 'CHECKPOINT_TENSOR_MISSING', /self_attn\.q_proj\.bias/],
    ['another rope', (text) => { text.rope_scaling = { type: 'yarn', factor: 4 } }, 'CHECKPOINT_UNSUPPORTED', /yarn/],
    ['fewer layers than weights', (text) => { text.num_hidden_layers = 1 }, 'CHECKPOINT_TENSOR_UNUSED', /layers\.1/],
  ],
  gemma: [
    ['another head size', (text) => { text.head_dim = 16 }, 'CHECKPOINT_WEIGHTS_INVALID', /q_proj.*asks for \[48, 48\]/],
    ['a head where the embedding is one', (text) => { text.tie_word_embeddings = false }, 'CHECKPOINT_TENSOR_MISSING', /lm_head\.weight/],
    ['an activation nobody knows', (text) => { text.hidden_activation = 'snake' }, 'CHECKPOINT_UNSUPPORTED', /hidden_act "snake"/],
  ],
  stablelm: [
    ['an odd number of rotated values', (text) => { text.partial_rotary_factor = 0.2 }, 'CHECKPOINT_UNSUPPORTED', /rotation of 3 of 16 values/],
    ['nothing that is rotated', (text) => { text.partial_rotary_factor = 0.01 }, 'CHECKPOINT_UNSUPPORTED', /rotation of 0 of 16/],
    ['norms that are not there', (text) => { text.qk_layernorm = true }, 'CHECKPOINT_TENSOR_MISSING', /q_layernorm\.norms\.0\.weight/],
    ['side by side, with a norm between', (text) => { text.use_parallel_residual = true }, 'CHECKPOINT_TENSOR_UNUSED', /post_attention_layernorm/],
  ],
}

describe.each(Object.entries(refusals))('%s:', (name, cases) => {
  let checkpoint: string
  beforeEach(() => {
    checkpoint = folder.file('checkpoint')
    rmSync(checkpoint, { recursive: true, force: true })
    copyCheckpoint(name, checkpoint)
  })

  test.each(cases)('%s', async (_, edit, code, message) => {
    editConfig(checkpoint, (config) => { edit(config.text_config as Text) })
    await expect(convertCheckpoint(checkpoint, folder.file('bundle')))
      .rejects.toMatchObject({ code, message: expect.stringMatching(message) as unknown })
  })
})

test('weights that an untied OpenELM saves and never looks at are no surprise', async () => {
  const checkpoint = folder.file('classifier')
  copyCheckpoint('openelm-untied', checkpoint)
  editWeights(checkpoint, ({ header }) => {
    // Made while it is trained, beside the head that is used.
    expect(header['language_model.transformer.classifier.weight']).toBeDefined()
  })
  await expect(convertCheckpoint(checkpoint, folder.file('untied'))).resolves.toBeDefined()
})

test('dynamic positions end where the model\'s own do, whatever a prompt may have', async () => {
  const manifest = await convertCheckpoint(copied('llama'), folder.file('dynamic'))
  expect(manifest.languageModel).toMatchObject({ maxPositions: 512, maxPromptTokens: 3072 })
  const linear = await convertCheckpoint(copied('llama-scaled'), folder.file('linear'))
  expect(linear.languageModel.maxPositions).toBe(4096)
})

function copied(name: string): string {
  const checkpoint = folder.file(name)
  copyCheckpoint(name, checkpoint)
  return checkpoint
}
