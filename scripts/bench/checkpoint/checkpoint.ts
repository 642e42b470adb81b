import { existsSync } from 'node:fs'
import { copyFile, mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import type { Geometry, TextGeometry, TowerGeometry } from './geometry.js'
import { writeSafetensors } from './safetensors.js'
import { planTensors } from './tensors.js'

/** A checkpoint of random weights on disk. */
export interface RandomCheckpoint {
  /** Folder of the checkpoint, in its original layout. */
  readonly checkpoint: string
  /** Folder with the base models' descriptions under their names, which the original reads beside a checkpoint. */
  readonly hub: string
}

// The small tokenizer of the demo model: what a text's ids are changes no time.
const tokenizer = fileURLToPath(new URL('../../../models/demo', import.meta.url))
const TOKENIZER_FILES = ['vocab.json', 'merges.txt', 'added_tokens.json', 'special_tokens_map.json', 'tokenizer_config.json']
/** Its tokens that aren't special: the only ones an answer can be made of, so that it never ends by chance. */
const ORDINARY_TOKENS = 573
/** `<|endoftext|>`. */
const END_TOKEN = ORDINARY_TOKENS

const LLM_NAME = 'Qwen/Qwen2.5-random'
const TOWER_NAME = 'google/siglip-random'

/**
 * Makes a checkpoint of random weights, or finds the one an earlier call made. Appears by rename: never half.
 *
 * The end token is one that a greedy answer never takes, so that an answer has exactly as many tokens as it may.
 *
 * @param cache Folder for all of them; each has its own below it.
 */
export async function randomCheckpoint(cache: string, geometry: Geometry): Promise<RandomCheckpoint> {
  const folder = join(cache, geometry.name)
  const made = { checkpoint: join(folder, 'checkpoint'), hub: join(folder, 'hub') }
  if (existsSync(folder)) return made
  const partial = `${folder}.partial-${process.pid}`
  try {
    await writeAll(partial, geometry)
    await rename(partial, folder)
  } catch (error) {
    await rm(partial, { recursive: true, force: true })
    throw error
  }
  return made
}

async function writeAll(folder: string, geometry: Geometry): Promise<void> {
  const checkpoint = join(folder, 'checkpoint')
  const [llm, tower] = [join(folder, 'hub', LLM_NAME), join(folder, 'hub', TOWER_NAME)]
  for (const place of [checkpoint, llm, tower]) await mkdir(place, { recursive: true })
  for (const file of TOKENIZER_FILES) {
    await copyFile(join(tokenizer, file), join(checkpoint, file))
    await copyFile(join(tokenizer, file), join(llm, file))
  }
  await writeJson(join(checkpoint, 'config.json'), checkpointConfig(geometry))
  await writeJson(join(llm, 'config.json'), textConfig(geometry.text))
  await writeJson(join(tower, 'config.json'), { model_type: 'siglip', vision_config: towerConfig(geometry.tower) })
  await writeJson(join(tower, 'preprocessor_config.json'), imageProcessor(geometry.tower))
  await writeSafetensors(join(checkpoint, 'model.safetensors'), planTensors(geometry), ORDINARY_TOKENS)
}

async function writeJson(path: string, value: unknown): Promise<void> {
  await writeFile(path, `${JSON.stringify(value, undefined, 2)}\n`)
}

function checkpointConfig({ tower, connector, text }: Geometry) {
  return {
    architectures: ['TinyLlavaForConditionalGeneration'],
    model_type: 'tinyllava',
    llm_model_name_or_path: LLM_NAME,
    tokenizer_name_or_path: LLM_NAME,
    vision_model_name_or_path: TOWER_NAME,
    connector_type: 'groupresampler',
    hidden_size: text.width,
    vocab_size: text.vocabulary,
    vision_hidden_size: tower.width,
    vision_feature_layer: -2,
    vision_feature_select_strategy: 'patch',
    num_queries: connector.queries,
    group: connector.group,
    num_resampler_layers: connector.layers,
    tokenizer_model_max_length: 3072,
    use_cache: true,
    torch_dtype: 'bfloat16',
    text_config: textConfig(text),
    vision_config: towerConfig(tower),
  }
}

function textConfig({ width, inner, layers, heads, keyValueHeads, vocabulary }: TextGeometry) {
  return {
    architectures: ['Qwen2ForCausalLM'],
    model_type: 'qwen2',
    hidden_size: width,
    intermediate_size: inner,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_key_value_heads: keyValueHeads,
    vocab_size: vocabulary,
    max_position_embeddings: 32768,
    rope_theta: 1_000_000,
    tie_word_embeddings: true,
    use_sliding_window: false,
    eos_token_id: END_TOKEN,
  }
}

function towerConfig({ width, inner, layers, heads, image, patch }: TowerGeometry) {
  return {
    model_type: 'siglip_vision_model',
    hidden_size: width,
    intermediate_size: inner,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    image_size: image,
    patch_size: patch,
  }
}

function imageProcessor({ image }: TowerGeometry) {
  return {
    image_processor_type: 'SiglipImageProcessor',
    do_resize: true, size: { height: image, width: image }, resample: 3,
    do_rescale: true, rescale_factor: 1 / 255,
    do_normalize: true, image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.5, 0.5],
  }
}
