import { basename, join } from 'node:path'

import { z } from 'zod'

import { CONFIG_FILE, type CheckpointFolder, parseConfig, unsupported } from '../config.js'
import { readModelTensors } from '../weight-files.js'
import { BASE_LANGUAGE_MODELS, BASE_TOWERS } from './base-models.js'
import { type CheckpointLayout, type LayoutConfig, type Prefixes, beforePrefixes, withPrefixes } from './layout.js'

/** Base model of each class of TinyLLaVABench: all it was published with. */
const ARCHITECTURES: Readonly<Record<string, keyof typeof BASE_LANGUAGE_MODELS>> = {
  TinyLlavaLlamaForCausalLM: 'TinyLlama/TinyLlama-1.1B-Chat-v1.0',
  TinyLlavaStablelmForCausalLM: 'stabilityai/stablelm-2-zephyr-1_6b',
  TinyLlavaPhiForCausalLM: 'microsoft/phi-2',
}

/** Base model of the towers that TinyLLaVABench published under names of its own. */
const TOWER_COPIES: Readonly<Record<string, string>> = {
  'TinyLLaVA-3.1B-SigLIP': 'siglip-so400m-patch14-384',
  'TinyLLaVA-2.0B-SigLIP': 'siglip-so400m-patch14-384',
  'TinyLLaVA-1.5B-SigLIP': 'siglip-so400m-patch14-384',
}

const legacyConfigSchema = z.looseObject({
  architectures: z.tuple([z.string()]).rest(z.unknown()),
  mm_vision_tower: z.string(),
  mm_projector_type: z.string().default('linear'),
  mm_vision_select_layer: z.int().default(-2),
  mm_vision_select_feature: z.string().default('patch'),
  vision_config: z.record(z.string(), z.unknown()).nullish(),
})

/**
 * What transformers 4.40.1's `LlamaConfig`, `StableLmConfig` and `PhiConfig` say of a model beside its training. Such a
 * configuration is the language model's own with the rest of the checkpoint between: nothing else is the language model's.
 */
const LANGUAGE_MODEL_FIELDS: ReadonlySet<string> = new Set([
  'vocab_size', 'hidden_size', 'intermediate_size', 'num_hidden_layers', 'num_attention_heads', 'num_key_value_heads',
  'hidden_act', 'max_position_embeddings', 'rms_norm_eps', 'layer_norm_eps', 'rope_theta', 'rope_scaling',
  'partial_rotary_factor', 'attention_bias', 'use_qkv_bias', 'qk_layernorm', 'use_parallel_residual', 'tie_word_embeddings',
  'bos_token_id', 'eos_token_id', 'pad_token_id',
])

const PREFIXES: Prefixes = [
  ['model.vision_tower.vision_tower.', 'vision_tower._vision_tower.'],
  ['model.mm_projector.', 'connector._connector.'],
  ['model.', 'language_model.model.'],
  ['lm_head.', 'language_model.lm_head.'],
]

/**
 * Checkpoints of TinyLLaVABench, the Factory's predecessor (`TinyLLaVA-3.1B`, `-2.0B`, `-1.5B`), whose configuration is
 * the language model's own with `mm_…` beside. Source: TinyLLaVA Factory `convert_legecy_weights_to_tinyllavafactory.py`.
 */
export const legacy: CheckpointLayout = {
  detect: ({ config }) => baseOf(config.architectures) !== undefined,
  describe,
  tensors: async ({ path }) => withPrefixes(await readModelTensors(path), PREFIXES),
  ownName: (name) => beforePrefixes(name, PREFIXES),
  fields: 'architectures, mm_vision_tower and mm_projector_type',
}

function describe({ path, config }: CheckpointFolder): LayoutConfig {
  const old = parseConfig(legacyConfigSchema, withoutNulls(config), join(path, CONFIG_FILE))
  const base = baseOf(old.architectures)
  if (base === undefined) throw unsupported(`The architecture ${old.architectures[0]}`)
  // The Factory takes the base model's configuration; what a checkpoint says itself can only be truer.
  const own = withoutNulls(config)
  return {
    config: {
      ...own,
      model_type: 'tinyllava',
      llm_model_name_or_path: base,
      vision_model_name_or_path: old.mm_vision_tower,
      connector_type: old.mm_projector_type,
      text_config: { ...BASE_LANGUAGE_MODELS[base], ...languageModelFields(own) },
      vision_config: { ...towerOf(old.mm_vision_tower, old.vision_config ?? undefined), ...old.vision_config },
      vision_feature_layer: old.mm_vision_select_layer,
      vision_feature_select_strategy: old.mm_vision_select_feature,
    },
  }
}

const languageModelFields = (own: Readonly<Record<string, unknown>>): object =>
  Object.fromEntries(Object.entries(own).filter(([field]) => LANGUAGE_MODEL_FIELDS.has(field)))

/** A field that is null says nothing. */
const withoutNulls = (config: object): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(config).filter(([, value]) => value !== null))

function baseOf(architectures: unknown): keyof typeof BASE_LANGUAGE_MODELS | undefined {
  const name: unknown = Array.isArray(architectures) ? architectures[0] : undefined
  return typeof name === 'string' && Object.hasOwn(ARCHITECTURES, name) ? ARCHITECTURES[name] : undefined
}

function towerOf(path: string, own: object | undefined): object {
  const given = basename(path)
  const name = Object.hasOwn(TOWER_COPIES, given) ? (TOWER_COPIES[given] ?? given) : given
  const tower = Object.hasOwn(BASE_TOWERS, name) ? BASE_TOWERS[name] : undefined
  if (tower !== undefined) return tower
  if (own !== undefined) return {}
  const known = [...Object.keys(BASE_TOWERS), ...Object.keys(TOWER_COPIES)].join(', ')
  throw unsupported(`The vision tower ${path} of a TinyLLaVABench checkpoint, whose sizes config.json doesn't say (known: ${known}),`)
}
