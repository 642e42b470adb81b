/** Which layout a folder is taken for, what its configuration means, and folders that must be refused. Whole conversions: tests/model/convert/stages.test.ts. */
import { cpSync, existsSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { openCheckpoint } from '../../../../src/model/checkpoint/layouts/layouts.js'
import { convertCheckpoint } from '../../../../src/model/convert.js'
import { type TemporaryFolder, copyCheckpoint, editConfig, temporaryFolder } from '../../../support/checkpoint-files.js'
import { referencePath } from '../../../support/golden.js'

let folder: TemporaryFolder
let checkpoint: string
beforeEach(() => {
  folder = temporaryFolder()
  checkpoint = folder.file('checkpoint')
})
afterEach(() => { folder.remove() })

const convert = () => convertCheckpoint(checkpoint, folder.file('bundle'))

async function expectRefusal(code: string, message: RegExp): Promise<void> {
  await expect(convert()).rejects.toMatchObject({ code, message: expect.stringMatching(message) as unknown })
  expect(existsSync(folder.file('bundle'))).toBe(false)
}

/** A folder that says `config` and holds no weights worth reading. */
async function describeConfig(config: object) {
  copyCheckpoint('qwen2-stop', checkpoint)
  writeFileSync(join(checkpoint, 'config.json'), JSON.stringify(config))
  return (await openCheckpoint(checkpoint)).description
}

test('a tokenizer of the fast class, whose ids differ, is refused', async () => {
  copyCheckpoint('qwen2-stop', checkpoint)
  editConfig(checkpoint, (config) => { config.tokenizer_use_fast = true })
  await expectRefusal('CHECKPOINT_UNSUPPORTED', /tokenizer_use_fast/)
})

test.each(['constructor', 'toString'])('a legacy checkpoint whose tower is called `%s` is of a tower nobody knows', async (name) => {
  copyCheckpoint('legacy-llama', checkpoint)
  editConfig(checkpoint, (config) => {
    config.mm_vision_tower = name
    delete config.vision_config
  })
  await expectRefusal('CHECKPOINT_UNSUPPORTED', new RegExp(`vision tower ${name} of a TinyLLaVABench checkpoint`))
})

describe('pickled weights', () => {
  beforeEach(() => { copyCheckpoint('checkpoint-pickled', checkpoint) })
  const shards = (): readonly string[] => readdirSync(checkpoint).filter((name) => /^pytorch_model-.*\.bin$/.test(name))

  test('a shard that attacks is refused by what it asks for, and nothing of it runs', async () => {
    const [first = ''] = shards()
    cpSync(referencePath('torch-files/system.bin'), join(checkpoint, first))
    await expectRefusal('CHECKPOINT_UNSAFE', /`posix\.system`.*not run/)
    expect(existsSync('pwned')).toBe(false)
  })

  test('a shard that is cut, one that is missing', async () => {
    const [first = '', second = ''] = shards()
    const path = join(checkpoint, first)
    truncateSync(path, readFileSync(path).length - 2000)
    await expectRefusal('CHECKPOINT_WEIGHTS_INVALID', new RegExp(`${first} can't be read`))
    cpSync(referencePath(`cases/checkpoint-pickled/checkpoint/${first}`), path)
    rmSync(join(checkpoint, second))
    await expectRefusal('CHECKPOINT_WEIGHTS_INVALID', new RegExp(`not in .*${second}`))
  })

  test('an index of files elsewhere or of another kind is none', async () => {
    const index = join(checkpoint, 'pytorch_model.bin.index.json')
    for (const name of ['../pytorch_model.bin', 'model.safetensors']) {
      writeFileSync(index, JSON.stringify({ weight_map: { a: name } }))
      await expectRefusal('CHECKPOINT_WEIGHTS_INVALID', /not an index of \.bin shards/)
    }
  })

  test('safetensors beside them are preferred, as transformers prefers them', async () => {
    writeFileSync(join(checkpoint, 'model.safetensors'), 'no weights')
    await expectRefusal('CHECKPOINT_WEIGHTS_INVALID', /model\.safetensors/)
  })
})

describe('folders of the pretraining stage', () => {
  beforeEach(() => { copyCheckpoint('checkpoint-parts', checkpoint) })

  test('a part that is missing is named', async () => {
    rmSync(join(checkpoint, 'vision_tower'), { recursive: true })
    await expectRefusal('CHECKPOINT_NOT_FOUND', /vision_tower holds neither/)
  })

  test('a part of another model is found out by its shapes or names', async () => {
    cpSync(referencePath('cases/checkpoint-lora/checkpoint/vision_tower'), join(checkpoint, 'vision_tower'), { recursive: true })
    await expectRefusal('CHECKPOINT_WEIGHTS_INVALID', /vision_tower\/.* has shape .*config\.json asks for/)
  })
})

describe('checkpoints of TinyLLaVABench', () => {
  const published = {
    architectures: ['TinyLlavaPhiForCausalLM'],
    auto_map: { AutoModelForCausalLM: 'modeling_tinyllava.Evil' },
    model_type: 'tiny_llava_phi',
    mm_vision_tower: 'bczhou/TinyLLaVA-3.1B-SigLIP',
    mm_projector_type: 'mlp2x_gelu',
    mm_vision_select_layer: -2,
    mm_vision_select_feature: 'patch',
    image_aspect_ratio: 'pad',
    tokenizer_model_max_length: 3072,
    num_key_value_heads: null,
    hidden_size: 2560,
    num_queries: null,
  }

  test('what the configuration does not say comes from the base model and the tower it names', async () => {
    const { config } = await describeConfig(published)
    expect(config).toMatchObject({
      connector_type: 'mlp2x_gelu',
      image_aspect_ratio: 'pad',
      tokenizer_model_max_length: 3072,
      text_config: { model_type: 'phi', hidden_size: 2560, num_hidden_layers: 32, num_key_value_heads: 32, partial_rotary_factor: 0.4, eos_token_id: 50256 },
      vision_config: { model_type: 'siglip_vision_model', hidden_size: 1152, image_size: 384, patch_size: 14, num_hidden_layers: 27 },
    })
  })

  test('the language model\'s own fields count, and nothing else of what lies between them', async () => {
    const own = { hidden_size: 48, rope_scaling: { type: 'linear', factor: 2 }, qk_layernorm: true, eos_token_id: 7 }
    const others = { torch_dtype: 'float16', transformers_version: '4.37.2', _name_or_path: 'x', mm_hidden_size: 36, vision_config: { hidden_size: 36 }, sliding_window: 8 }
    const { config } = await describeConfig({ ...published, ...own, ...others })
    expect(config.text_config).toMatchObject({ model_type: 'phi', num_hidden_layers: 32, ...own })
    for (const field of [...Object.keys(others), ...Object.keys(published)].filter((name) => !/^(model_type|num_key|hidden)/.test(name))) {
      expect(config.text_config).not.toHaveProperty(field)
    }
  })

  test.each([
    ['TinyLlavaLlamaForCausalLM', 'openai/clip-vit-large-patch14-336', { model_type: 'llama', num_key_value_heads: 4 }, { model_type: 'clip_vision_model', image_size: 336 }],
    ['TinyLlavaStablelmForCausalLM', '/models/clip-vit-large-patch14', { model_type: 'stablelm', use_qkv_bias: true }, { image_size: 224 }],
  ])('%s on %s', async (architecture, tower, text, vision) => {
    const { config } = await describeConfig({ architectures: [architecture], mm_vision_tower: tower })
    expect(config).toMatchObject({ text_config: text, vision_config: vision, connector_type: 'linear' })
  })

  test('a tower of unknown sizes is refused, listing the known ones', async () => {
    await expect(describeConfig({ ...published, mm_vision_tower: 'somebody/eva-giant' }))
      .rejects.toMatchObject({ code: 'CHECKPOINT_UNSUPPORTED', message: expect.stringMatching(/somebody\/eva-giant.*siglip-so400m/) as unknown })
  })

  test('no tower at all is a mistake in the configuration', async () => {
    await expect(describeConfig({ architectures: published.architectures }))
      .rejects.toMatchObject({ code: 'CHECKPOINT_CONFIG_INVALID', message: expect.stringMatching(/mm_vision_tower/) as unknown })
  })
})

describe('Hugging Face\'s LLaVA', () => {
  const published = {
    architectures: ['LlavaForConditionalGeneration'],
    model_type: 'llava',
    projector_hidden_act: 'gelu',
    text_config: { hidden_size: 2048, num_hidden_layers: 22, num_key_value_heads: 4, vocab_size: 32064 },
    vision_feature_select_strategy: 'default',
  }

  test('becomes the Factory\'s parts, with its own template and CLIP ViT-L/14-336 where it names no tower', async () => {
    const { config, template } = await describeConfig(published)
    expect(template).toBe('llava_hf')
    expect(config).toMatchObject({
      connector_type: 'mlp2x_gelu',
      text_config: { model_type: 'llama', num_key_value_heads: 4 },
      vision_config: { model_type: 'clip_vision_model', hidden_size: 1024, image_size: 336 },
      vision_feature_layer: -2,
      vision_feature_select_strategy: 'patch',
      tokenizer_model_max_length: null,
    })
  })

  test('`full` keeps the class token; a tower that is named takes its own class\'s defaults', async () => {
    const { config } = await describeConfig({ ...published, vision_feature_select_strategy: 'full', vision_config: { image_size: 224 } })
    expect(config.vision_feature_select_strategy).toBe('cls_patch')
    expect(config.vision_config).toEqual({ model_type: 'clip_vision_model', image_size: 224 })
  })

  test.each([
    ['another activation', { projector_hidden_act: 'quick_gelu' }, 'CHECKPOINT_UNSUPPORTED', /projector_hidden_act "quick_gelu"/],
    ['another selection', { vision_feature_select_strategy: 'mean' }, 'CHECKPOINT_CONFIG_INVALID', /vision_feature_select_strategy/],
    ['the original LLaVA code', { mm_vision_tower: 'openai/clip' }, 'CHECKPOINT_UNSUPPORTED', /original LLaVA/],
  ])('%s is refused', async (_, change, code, message) => {
    await expect(describeConfig({ ...published, ...change })).rejects.toMatchObject({ code, message: expect.stringMatching(message) as unknown })
  })

  test('a converted one answers with its own prompt', async () => {
    copyCheckpoint('llava-hf', checkpoint)
    expect(await convert()).toMatchObject({ template: 'llava_hf', connector: { name: 'mlp2x_gelu' } })
  })
})

test('a checkpoint of the hub with code of its own: the code is neither needed nor copied', async () => {
  copyCheckpoint('qwen2-stop', checkpoint)
  editConfig(checkpoint, (config) => {
    config.auto_map = { AutoConfig: 'configuration.TinyLlavaConfig', AutoModelForCausalLM: 'modeling.TinyLlavaForConditionalGeneration' }
    for (const key of ['resampler_hidden_size', 'cache_dir', 'vision_model_name_or_path2', 'tokenizer_name_or_path']) config[key] = null
  })
  writeFileSync(join(checkpoint, 'modeling.py'), 'import os; os.system("touch pwned")')
  await convert()
  expect(readdirSync(folder.file('bundle'))).not.toContain('modeling.py')
})
