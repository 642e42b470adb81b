import { join } from 'node:path'

import { z } from 'zod'

import { CONFIG_FILE, type CheckpointFolder, parseConfig, unsupported } from '../config.js'
import { readModelTensors } from '../weight-files.js'
import { CLIP_LARGE_336 } from './base-models.js'
import { type CheckpointLayout, type LayoutConfig, type Prefixes, beforePrefixes, withPrefixes } from './layout.js'

const subConfig = z.record(z.string(), z.unknown()).nullish()

/** `LlavaConfig` of transformers 4.40.1, with its defaults. */
const llavaConfigSchema = z.object({
  text_config: subConfig,
  vision_config: subConfig,
  projector_hidden_act: z.string().default('gelu'),
  vision_feature_layer: z.int().default(-2),
  vision_feature_select_strategy: z.enum(['default', 'full']).default('default'),
})

/** Selection of a tower's tokens, in the Factory's words. */
const STRATEGIES = { default: 'patch', full: 'cls_patch' } as const

const PREFIXES: Prefixes = [
  ['vision_tower.', 'vision_tower._vision_tower.'],
  ['multi_modal_projector.linear_1.', 'connector._connector.0.'],
  ['multi_modal_projector.linear_2.', 'connector._connector.2.'],
]

/**
 * Hugging Face's own `LlavaForConditionalGeneration` (transformers 4.40.1), as `bczhou/tiny-llava-v1-hf` is published.
 *
 * Its projector is the Factory's `mlp2x_gelu`, its features are selected alike; prompts differ: no system text, a line a turn.
 */
export const llavaHf: CheckpointLayout = {
  detect: ({ config }) => config.model_type === 'llava',
  describe,
  tensors: async ({ path }) => withPrefixes(await readModelTensors(path), PREFIXES),
  ownName: (name) => beforePrefixes(name, PREFIXES),
  fields: 'text_config and vision_config',
}

function describe({ path, config }: CheckpointFolder): LayoutConfig {
  // The original LLaVA code names its own configurations `llava`, too.
  if (config.mm_vision_tower !== undefined) throw unsupported('A checkpoint of the original LLaVA code')
  const llava = parseConfig(llavaConfigSchema, config, join(path, CONFIG_FILE))
  if (llava.projector_hidden_act !== 'gelu') throw unsupported(`projector_hidden_act "${llava.projector_hidden_act}"`)
  return {
    template: 'llava_hf',
    config: {
      model_type: 'tinyllava',
      connector_type: 'mlp2x_gelu',
      text_config: { model_type: 'llama', ...llava.text_config },
      vision_config: llava.vision_config ? { model_type: 'clip_vision_model', ...llava.vision_config } : CLIP_LARGE_336,
      vision_feature_layer: llava.vision_feature_layer,
      vision_feature_select_strategy: STRATEGIES[llava.vision_feature_select_strategy],
      // Its processor never cuts a prompt.
      tokenizer_model_max_length: null,
    },
  }
}
