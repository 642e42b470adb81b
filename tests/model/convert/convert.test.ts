/** What `convertCheckpoint` does with folders: what it writes, what it refuses, what it leaves behind. */
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

import { convertCheckpoint } from '../../../src/model/convert.js'
import { MANIFEST_FILE, manifestSchema } from '../../../src/model/manifest.js'
import { loadTokenizer } from '../../../src/model/tokenizer/load-tokenizer.js'
import { type TemporaryFolder, copyCheckpoint, editConfig, editWeights, readSafetensors, safetensorsBytes, temporaryFolder } from '../../support/checkpoint-files.js'
import { referencePath } from '../../support/golden.js'

let folder: TemporaryFolder
let checkpoint: string
let out: string
beforeEach(() => {
  folder = temporaryFolder()
  checkpoint = folder.file('checkpoint')
  out = folder.file('bundle')
  copyCheckpoint('qwen2-group-16', checkpoint)
})
afterEach(() => {
  vi.restoreAllMocks()
  folder.remove()
})

/** A failed conversion must leave the folder as it was. */
async function expectRefusal(code: string, message: RegExp): Promise<void> {
  const before = readdirSync(folder.path)
  await expect(convertCheckpoint(checkpoint, out)).rejects.toMatchObject({ code, message: expect.stringMatching(message) as unknown })
  expect(readdirSync(folder.path)).toEqual(before)
}

const sha256 = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex')

describe('a bundle', () => {
  test('lists every other file with its size and digest, and keeps the tokenizer and config as they were', async () => {
    const manifest = await convertCheckpoint(checkpoint, out)
    expect(manifestSchema.parse(JSON.parse(readFileSync(join(out, MANIFEST_FILE), 'utf8')))).toEqual(manifest)
    expect(Object.keys(manifest.files).concat(MANIFEST_FILE).sort()).toEqual(readdirSync(out).sort())
    for (const [name, file] of Object.entries(manifest.files)) {
      expect(file).toEqual({ bytes: readFileSync(join(out, name)).length, sha256: sha256(join(out, name)) })
    }
    for (const name of ['config.json', 'vocab.json', 'merges.txt']) expect(sha256(join(out, name))).toBe(sha256(join(checkpoint, name)))
  })

  test('takes a SentencePiece tokenizer along', async () => {
    for (const name of ['vocab.json', 'merges.txt', 'added_tokens.json']) rmSync(join(checkpoint, name))
    for (const name of ['tokenizer.model', 'tokenizer_config.json', 'special_tokens_map.json']) {
      copyFileSync(referencePath(`tokenizers/llama/${name}`), join(checkpoint, name))
    }
    const { template } = await convertCheckpoint(checkpoint, out, { template: 'llama' })
    expect(template).toBe('llama')
    expect((await loadTokenizer(out)).encode('What happens?')).toEqual((await loadTokenizer(referencePath('tokenizers/llama'))).encode('What happens?'))
  })

  test('is the same, byte for byte, when it is made again', async () => {
    const first = await convertCheckpoint(checkpoint, out)
    expect(await convertCheckpoint(checkpoint, folder.file('again'), { name: 'checkpoint' })).toEqual(first)
  })

  test('has another source digest when one weight differs', async () => {
    const first = await convertCheckpoint(checkpoint, out)
    editWeights(checkpoint, ({ data }) => { data[3] = (data[3] ?? 0) ^ 1 })
    expect((await convertCheckpoint(checkpoint, folder.file('other'))).sourceDigest).not.toBe(first.sourceDigest)
  })

  test('keeps a tied head\'s bytes once: the decoder refers to the embedding\'s file', async () => {
    await convertCheckpoint(checkpoint, out)
    expect(readFileSync(join(out, 'decoder_model_merged.onnx')).includes('embed_tokens.onnx.data')).toBe(true)
  })

  test('reports progress up to the last byte', async () => {
    const seen: { doneBytes: number; totalBytes: number }[] = []
    await convertCheckpoint(checkpoint, out, { onProgress: (progress) => seen.push(progress) })
    expect(seen.at(-1)?.doneBytes).toBe(seen.at(-1)?.totalBytes)
    expect(seen.every(({ doneBytes }, index) => doneBytes > (seen[index - 1]?.doneBytes ?? 0))).toBe(true)
  })

  test('takes mean and deviation from a preprocessor_config.json that lies in the folder', async () => {
    writeFileSync(join(checkpoint, 'preprocessor_config.json'), JSON.stringify({ image_mean: [0, 0, 0], image_std: [1, 1, 1] }))
    const other = await convertCheckpoint(checkpoint, out)
    const plain = await convertCheckpoint(referencePath('cases/qwen2-group-16/checkpoint'), folder.file('plain'))
    expect(other.files['vision_encoder.onnx']).not.toEqual(plain.files['vision_encoder.onnx'])
  })
})

describe('is never half there:', () => {
  test('an abort in the middle leaves nothing', async () => {
    const abort = new AbortController()
    const onProgress = (): void => { abort.abort() }
    await expect(convertCheckpoint(checkpoint, out, { signal: abort.signal, onProgress })).rejects.toMatchObject({ code: 'ABORTED' })
    expect(readdirSync(folder.path)).toEqual(['checkpoint'])
  })

  test('a bundle that is there already is kept, unless it is to be replaced', async () => {
    await convertCheckpoint(checkpoint, out)
    writeFileSync(join(out, 'mine'), '')
    await expectRefusal('CONVERT_OUTPUT_EXISTS', /exists already/)
    expect(existsSync(join(out, 'mine'))).toBe(true)
    await convertCheckpoint(checkpoint, out, { overwrite: true })
    expect(existsSync(join(out, 'mine'))).toBe(false)
    expect(readdirSync(folder.path).sort()).toEqual(['bundle', 'checkpoint'])
  })

  test.each([
    ['a folder that is no bundle', () => { mkdirSync(out); writeFileSync(join(out, 'precious'), '') }],
    ['a file', () => { writeFileSync(out, 'precious') }],
  ])('%s is never replaced', async (_, make) => {
    make()
    await expect(convertCheckpoint(checkpoint, out, { overwrite: true })).rejects.toMatchObject({ code: 'CONVERT_OUTPUT_EXISTS' })
    expect(readdirSync(folder.path).sort()).toEqual(['bundle', 'checkpoint'])
  })

  test('nor is the checkpoint, nor anything above or below it', async () => {
    for (const place of [checkpoint, folder.path, join(checkpoint, 'bundle')]) {
      await expect(convertCheckpoint(checkpoint, place, { overwrite: true })).rejects.toMatchObject({ code: 'CONVERT_OUTPUT_EXISTS' })
    }
    expect(existsSync(join(checkpoint, 'model.safetensors'))).toBe(true)
  })

  test('of two conversions to one folder one wins and the other says so', async () => {
    const outcomes = await Promise.allSettled([convertCheckpoint(checkpoint, out), convertCheckpoint(checkpoint, out)])
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'CONVERT_OUTPUT_EXISTS' } })
    expect(readdirSync(folder.path).sort()).toEqual(['bundle', 'checkpoint'])
  })

  test('a place that can\'t be written is said so', async () => {
    writeFileSync(folder.file('a-file'), '')
    await expect(convertCheckpoint(checkpoint, folder.file('a-file/bundle'))).rejects.toMatchObject({ code: 'CONVERT_NOT_WRITABLE' })
  })
})

describe('checks its settings first:', () => {
  test.each([
    ['precision', { precision: 'int2' }],
    ['visionPrecision', { visionPrecision: 'fp8' }],
    ['llmPrecision', { llmPrecision: 'int8-dynamic' }],
    ['blockSize', { precision: 'int4', blockSize: 16 }],
    ['attention', { attention: 'flash' }],
    ['name', { name: ' ' }],
  ])('%s', async (name, options) => {
    const message: unknown = expect.stringContaining(`\`${name}\``)
    await expect(convertCheckpoint(checkpoint, out, options as never)).rejects.toMatchObject({ code: 'SETTING_INVALID', message })
  })
})

describe('checks disk and memory first:', () => {
  test('no room on the disk', async () => {
    // A sparse file: 16 TB on paper, nothing on the disk.
    const vocabulary = 2 ** 36
    editConfig(checkpoint, (config) => { (config.text_config as Record<string, unknown>).vocab_size = vocabulary })
    const path = join(checkpoint, 'model.safetensors')
    const { header, data } = readSafetensors(path)
    const old = header['language_model.model.embed_tokens.weight']
    if (old === undefined) throw new Error('unreachable')
    const size = vocabulary * 64 * 2
    const grown = {
      ...header,
      'vision_tower._vision_tower.vision_model.head.padding': old,
      'language_model.model.embed_tokens.weight': { dtype: 'BF16', shape: [vocabulary, 64], data_offsets: [data.length, data.length + size] },
    }
    const bytes = safetensorsBytes(grown, data)
    writeFileSync(path, bytes)
    truncateSync(path, bytes.length + size)
    await expectRefusal('CONVERT_NO_SPACE', /MB left, the bundle takes \d+ MB/)
  })

  test('no memory', async () => {
    vi.spyOn(process, 'availableMemory').mockReturnValue(1e6)
    await expectRefusal('CONVERT_NO_MEMORY', /1 MB of memory are left/)
  })

  test('no memory for the threads that quantise', async () => {
    vi.spyOn(process, 'availableMemory').mockReturnValue(300e6)
    await expect(convertCheckpoint(checkpoint, out, { precision: 'int4' })).rejects.toMatchObject({ code: 'CONVERT_NO_MEMORY' })
    await convertCheckpoint(checkpoint, out, { precision: 'fp16' })
  })
})

describe('refuses a checkpoint, naming what is wrong:', () => {
  const text = (config: Record<string, unknown>): Record<string, unknown> => config.text_config as Record<string, unknown>
  const vision = (config: Record<string, unknown>): Record<string, unknown> => config.vision_config as Record<string, unknown>
  const configs: readonly (readonly [string, (config: Record<string, unknown>) => void, string, RegExp])[] = [
    ['another model type', (config) => { config.model_type = 'eagle' }, 'CHECKPOINT_CONFIG_INVALID', /model_type/],
    ['no connector', (config) => { delete config.connector_type }, 'CHECKPOINT_CONFIG_INVALID', /connector_type/],
    ['a connector nobody knows', (config) => { config.connector_type = 'mlp9x' }, 'PART_UNKNOWN', /mlp9x.*groupresampler, identity, linear, mlpNx_gelu/],
    ['a tower nobody knows', (config) => { vision(config).model_type = 'eva' }, 'PART_UNKNOWN', /eva.*siglip/],
    ['a language model nobody knows', (config) => { text(config).model_type = 'mamba' }, 'PART_UNKNOWN', /mamba.*phi.*qwen2/],
    ['a resampler without queries', (config) => { delete config.num_queries }, 'CHECKPOINT_CONFIG_INVALID', /lacks num_queries/],
    ['fewer queries than groups', (config) => { config.num_queries = 3 }, 'CHECKPOINT_CONFIG_INVALID', /num_queries is smaller than group/],
    ['a feature layer the tower has not', (config) => { config.vision_feature_layer = -9 }, 'CHECKPOINT_CONFIG_INVALID', /vision_feature_layer is -9/],
    ['a sliding window', (config) => { text(config).use_sliding_window = true }, 'CHECKPOINT_UNSUPPORTED', /use_sliding_window/],
    ['scaled rotary positions', (config) => { text(config).rope_scaling = { type: 'linear', factor: 2 } }, 'CHECKPOINT_UNSUPPORTED', /rope_scaling/],
    ['an activation nobody knows', (config) => { text(config).hidden_act = 'snake' }, 'CHECKPOINT_UNSUPPORTED', /hidden_act "snake"/],
    ['a width its heads don\'t divide', (config) => { vision(config).num_attention_heads = 5 }, 'CHECKPOINT_UNSUPPORTED', /width 36 with 5 heads/],
    ['shapes that differ from the weights', (config) => { text(config).intermediate_size = 100 }, 'CHECKPOINT_WEIGHTS_INVALID', /gate_proj.*config.json asks for \[100, 64\]/],
    ['more layers than weights', (config) => { text(config).num_hidden_layers = 3 }, 'CHECKPOINT_TENSOR_MISSING', /language_model.model.layers.2/],
    ['fewer layers than weights', (config) => { text(config).num_hidden_layers = 1 }, 'CHECKPOINT_TENSOR_UNUSED', /language_model.model.layers.1.*and \d+ more/],
  ]
  test.each(configs)('%s', async (_, edit, code, message) => {
    editConfig(checkpoint, edit)
    await expectRefusal(code, message)
  })

  test('an unknown template', async () => {
    await expect(convertCheckpoint(checkpoint, out, { template: 'alpaca' })).rejects.toMatchObject({ code: 'PART_UNKNOWN' })
  })

  test('a config that is not JSON', async () => {
    writeFileSync(join(checkpoint, 'config.json'), '{')
    await expectRefusal('CHECKPOINT_CONFIG_INVALID', /is not JSON/)
  })

  test('a tokenizer that is missing, or lacks the token that ends answers', async () => {
    editConfig(checkpoint, (config) => { (config.text_config as Record<string, unknown>).eos_token_id = 639 })
    await expectRefusal('TOKENIZER_INVALID', /has no token 639, which ends answers/)
    rmSync(join(checkpoint, 'merges.txt'))
    await expectRefusal('TOKENIZER_INVALID', /No tokenizer found/)
  })

  test('a folder without a config', async () => {
    rmSync(join(checkpoint, 'config.json'))
    await expectRefusal('CHECKPOINT_NOT_FOUND', /holds no config.json/)
  })

  test('weights or a config that can\'t be read', async () => {
    rmSync(join(checkpoint, 'model.safetensors'))
    mkdirSync(join(checkpoint, 'model.safetensors'))
    await expectRefusal('CHECKPOINT_WEIGHTS_INVALID', /can't be read/)
    rmSync(join(checkpoint, 'config.json'))
    mkdirSync(join(checkpoint, 'config.json'))
    await expectRefusal('CHECKPOINT_CONFIG_INVALID', /can't be read/)
  })

  test('a folder without weights', async () => {
    rmSync(join(checkpoint, 'model.safetensors'))
    await expectRefusal('CHECKPOINT_NOT_FOUND', /neither model.safetensors nor/)
  })

  test('weights that are cut', async () => {
    const path = join(checkpoint, 'model.safetensors')
    truncateSync(path, readFileSync(path).length - 100)
    await expectRefusal('CHECKPOINT_WEIGHTS_INVALID', /is cut/)
  })

  test('another resampling filter or picture size', async () => {
    writeFileSync(join(checkpoint, 'preprocessor_config.json'), JSON.stringify({ resample: 2 }))
    await expectRefusal('CHECKPOINT_UNSUPPORTED', /resample 2/)
    writeFileSync(join(checkpoint, 'preprocessor_config.json'), JSON.stringify({ size: { height: 99, width: 99 } }))
    await expectRefusal('CHECKPOINT_UNSUPPORTED', /image_size \(30\)/)
  })

  test('shards: one missing, one twice, an index that is none', async () => {
    rmSync(checkpoint, { recursive: true })
    copyCheckpoint('qwen2-group-uneven', checkpoint)
    const shards = readdirSync(checkpoint).filter((name) => name.startsWith('model-'))
    const [first = '', second = ''] = shards
    rmSync(join(checkpoint, first))
    await expectRefusal('CHECKPOINT_WEIGHTS_INVALID', new RegExp(`not in .*${first}`))
    writeFileSync(join(checkpoint, first), readFileSync(join(checkpoint, second)))
    await expectRefusal('CHECKPOINT_WEIGHTS_INVALID', /is also .*: only one can be right/)
    writeFileSync(join(checkpoint, 'model.safetensors.index.json'), '[]')
    await expectRefusal('CHECKPOINT_WEIGHTS_INVALID', /not an index/)
  })
})

test('a part is found by its model type, else by the longest name in the base model\'s name', async () => {
  editConfig(checkpoint, (config) => {
    delete (config.text_config as Record<string, unknown>).model_type
    config.llm_model_name_or_path = 'Qwen/Qwen2.5-3B'
  })
  expect((await convertCheckpoint(checkpoint, out)).languageModel.name).toBe('qwen2')
})
