/** Adapters against what peft 0.10 makes of them, bit for bit (tests/reference/lora), and adapters that must be refused. */
import { cpSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'

import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { readFolder } from '../../../../src/model/checkpoint/config.js'
import { fileTensor } from '../../../../src/model/checkpoint/file-tensor.js'
import { lora } from '../../../../src/model/checkpoint/layouts/lora.js'
import { readSafetensorsHeader } from '../../../../src/model/checkpoint/safetensors.js'
import type { CheckpointTensor } from '../../../../src/model/checkpoint/tensor.js'
import { type TemporaryFolder, readSafetensors, safetensorsBytes, temporaryFolder } from '../../../support/checkpoint-files.js'
import { referencePath } from '../../../support/golden.js'
import { tensorBits } from '../../../support/tensor-bits.js'

const variants = readdirSync(referencePath('lora'))

let folder: TemporaryFolder
beforeEach(() => {
  folder = temporaryFolder()
  cpSync(referencePath('lora/patterns'), folder.path, { recursive: true })
  writeFileSync(folder.file('config.json'), '{}')
})
afterEach(() => { folder.remove() })

const read = async (path: string): Promise<readonly CheckpointTensor[]> => lora.tensors({ path, config: {}, configBytes: new Uint8Array() })

describe.each(variants)('%s', (variant) => {
  test('every merged weight has the bits that peft gives it', async () => {
    const merged = await read(referencePath(`lora/${variant}`))
    const expected = (await readSafetensorsHeader(referencePath(`lora/${variant}/merged.safetensors`))).map(fileTensor)
    expect(merged.map(({ name }) => name).sort()).toEqual(expected.map(({ name }) => name).sort())
    for (const tensor of expected) {
      const ours = merged.find(({ name }) => name === tensor.name)
      expect(ours && (await tensorBits(ours)), tensor.name).toEqual(await tensorBits(tensor))
    }
  })
})

test('a piece that begins and ends inside rows is the same stretch of the whole', async () => {
  const merged = (await read(folder.path)).find(({ name }) => name === 'language_model.model.layers.1.q_proj.weight')
  if (merged === undefined) throw new Error('unreachable')
  const whole = await tensorBits(merged)
  const reader = await merged.open()
  const piece = new Uint8Array(9 * 2)
  await reader.read(piece, 5 * 2)
  await reader.close()
  expect(new Uint16Array(piece.buffer)).toEqual(whole.slice(5, 14))
})

test('is detected by adapter_config.json', async () => {
  expect(lora.detect(await readFolder(folder.path))).toBe(true)
  rmSync(folder.file('adapter_config.json'))
  expect(lora.detect(await readFolder(folder.path))).toBe(false)
})

test('whole weights on top are left alone, as the reference leaves them', async () => {
  const merged = await read(folder.path)
  cpSync(referencePath('lora/rslora/merged.safetensors'), folder.file('model.safetensors'))
  const places = (tensors: readonly CheckpointTensor[]) => tensors.map(({ name, place }) => [name, place])
  expect(lora.detect(await readFolder(folder.path))).toBe(true)
  expect(places(await read(folder.path))).toEqual(places(merged))
})

describe('refuses, naming what is wrong:', () => {
  const settings: readonly (readonly [string, Record<string, unknown>, string, RegExp])[] = [
    ['another kind of adapter', { peft_type: 'IA3' }, 'CHECKPOINT_UNSUPPORTED', /peft_type IA3/],
    ['DoRA', { use_dora: true }, 'CHECKPOINT_UNSUPPORTED', /use_dora/],
    ['replicated layers', { layer_replication: [[0, 1]] }, 'CHECKPOINT_UNSUPPORTED', /layer_replication/],
    ['LoftQ, which quantises the base', { init_lora_weights: 'loftq' }, 'CHECKPOINT_UNSUPPORTED', /loftq/],
    ['an expression as a pattern', { rank_pattern: { '(.*)*q_proj': 2 } }, 'CHECKPOINT_UNSUPPORTED', /pattern "\(\.\*\)\*q_proj"/],
    ['another rank than its matrices have', { r: 5 }, 'CHECKPOINT_WEIGHTS_INVALID', /lora_A\.weight of .*adapter_model\.safetensors.*adapter_config\.json says rank 5/],
    ['no rank at all', { r: 0 }, 'CHECKPOINT_CONFIG_INVALID', /\br\b/],
  ]
  test.each(settings)('%s', async (_, change, code, message) => {
    const path = folder.file('adapter_config.json')
    writeFileSync(path, JSON.stringify({ ...(JSON.parse(readFileSync(path, 'utf8')) as object), ...change }))
    await expect(read(folder.path)).rejects.toMatchObject({ code, message: expect.stringMatching(message) as unknown })
  })

  function renameAdapterTensor(from: string, to: string): void {
    const path = folder.file('adapter_model.safetensors')
    const { header, data } = readSafetensors(path)
    const renamed = Object.entries(header).map(([name, entry]) => [name.replace(from, to), entry])
    writeFileSync(path, safetensorsBytes(Object.fromEntries(renamed), data))
  }

  test('a layer that the base has not: it is for another base', async () => {
    renameAdapterTensor('layers.1.v_proj', 'layers.7.v_proj')
    const message: unknown = expect.stringMatching(/base_model\.model\.language_model\.model\.layers\.7\.v_proj\.lora_B\.weight of .* \[4, 6\].*no such tensor.*another base/)
    await expect(read(folder.path)).rejects.toMatchObject({ code: 'CHECKPOINT_WEIGHTS_INVALID', message })
  })

  test('a layer of another size: it is for another base', async () => {
    cpSync(referencePath('lora/rslora/vision_tower'), folder.file('language_model'), { recursive: true, force: true })
    await expect(read(folder.path)).rejects.toMatchObject({ code: 'CHECKPOINT_WEIGHTS_INVALID', message: expect.stringMatching(/another base/) as unknown })
    renameAdapterTensor('language_model.model.layers.0.q_proj', 'connector._connector.fc')
    await expect(read(folder.path)).rejects.toMatchObject({
      code: 'CHECKPOINT_WEIGHTS_INVALID',
      message: expect.stringMatching(/connector\._connector\.fc\.lora_B\.weight of .* \[4, 6\].*_connector\.fc\.(?:base_layer\.)?weight of .*connector\/pytorch_model\.bin has \[5, 3\]/) as unknown,
    })
  })

  test('half a pair', async () => {
    renameAdapterTensor('layers.0.q_proj.lora_A.weight', 'layers.0.q_proj.other.weight')
    await expect(read(folder.path)).rejects.toMatchObject({ code: 'CHECKPOINT_WEIGHTS_INVALID', message: expect.stringMatching(/lacks lora_A beside .*\.lora_B\.weight of/) as unknown })
  })

  test('an adapter of embeddings', async () => {
    renameAdapterTensor('layers.0.q_proj.lora_A.weight', 'layers.0.q_proj.lora_embedding_A')
    await expect(read(folder.path)).rejects.toMatchObject({ code: 'CHECKPOINT_UNSUPPORTED', message: expect.stringMatching(/lora_embedding_A/) as unknown })
  })

  test('whole weights instead of the base in parts: nobody sees whether the adapter is in them', async () => {
    for (const part of ['language_model', 'vision_tower', 'connector']) rmSync(folder.file(part), { recursive: true })
    cpSync(referencePath('lora/patterns/merged.safetensors'), folder.file('model.safetensors'))
    const message: unknown = expect.stringMatching(/adapter and whole weights.*remove adapter_config\.json.*language_model\//)
    await expect(read(folder.path)).rejects.toMatchObject({ code: 'CHECKPOINT_UNSUPPORTED', message })
  })

  test('a folder without the adapter or without its base', async () => {
    rmSync(folder.file('connector'), { recursive: true })
    await expect(read(folder.path)).rejects.toMatchObject({ code: 'CHECKPOINT_NOT_FOUND', message: expect.stringMatching(/connector holds neither/) as unknown })
    cpSync(referencePath('lora/patterns/connector'), folder.file('connector'), { recursive: true })
    rmSync(folder.file('adapter_model.safetensors'))
    await expect(read(folder.path)).rejects.toMatchObject({ code: 'CHECKPOINT_NOT_FOUND', message: expect.stringMatching(/adapter_model\.safetensors/) as unknown })
  })
})
