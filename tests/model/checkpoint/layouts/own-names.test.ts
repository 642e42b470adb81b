/** Errors of weights speak of a tensor as the checkpoint's own files have it, whatever the parts call it. */
import { join } from 'node:path'

import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { convertCheckpoint } from '../../../../src/model/convert.js'
import { type SafetensorsFile, type TemporaryFolder, copyCheckpoint, editConfig, editWeights, temporaryFolder } from '../../../support/checkpoint-files.js'

let folder: TemporaryFolder
let checkpoint: string
beforeEach(() => {
  folder = temporaryFolder()
  checkpoint = folder.file('checkpoint')
})
afterEach(() => { folder.remove() })

async function expectRefusal(code: string, ...parts: readonly string[]): Promise<void> {
  const error: unknown = await convertCheckpoint(checkpoint, folder.file('bundle')).catch((cause: unknown) => cause)
  expect(error).toMatchObject({ code })
  for (const part of parts) expect(String(error)).toContain(part)
  // The name it has in parts' terms, which no file holds.
  expect(String(error)).not.toMatch(/vision_tower\._vision_tower|connector\._connector|language_model\.model/)
}

/** Gives a tensor another name: it is missing then, and the new one is left over. */
function rename({ header }: SafetensorsFile, from: string, to: string): void {
  const entry = header[from]
  if (entry === undefined) throw new Error(`There is no ${from}.`)
  Reflect.deleteProperty(header, from)
  header[to] = entry
}

/** Turns a tensor's shape around, which takes as many bytes. */
function turn({ header }: SafetensorsFile, name: string): readonly number[] {
  const shape = header[name]?.shape ?? []
  shape.reverse()
  return shape
}

function spoil({ header, data }: SafetensorsFile, name: string): void {
  const [begin = NaN] = header[name]?.data_offsets ?? []
  data.fill(0xff, begin, begin + 4)
}

const layouts = [
  {
    name: 'llava-hf',
    tower: 'vision_tower.vision_model.embeddings.patch_embedding.weight',
    connector: 'multi_modal_projector.linear_1.weight',
    fields: 'text_config and vision_config',
  },
  {
    name: 'legacy-llama',
    tower: 'model.vision_tower.vision_tower.vision_model.embeddings.patch_embedding.weight',
    connector: 'model.mm_projector.0.weight',
    fields: 'architectures, mm_vision_tower and mm_projector_type',
  },
]

describe.each(layouts)('$name:', ({ name, tower, connector, fields }) => {
  beforeEach(() => { copyCheckpoint(name, checkpoint) })
  const file = (): string => join(checkpoint, 'model.safetensors')

  test('a tensor that is missing', async () => {
    editWeights(checkpoint, (weights) => { rename(weights, connector, 'position_ids') })
    await expectRefusal('CHECKPOINT_TENSOR_MISSING', `${checkpoint} lacks ${connector} [`, `Check ${fields} in config.json`)
  })

  test('a tensor that nothing asks for', async () => {
    editWeights(checkpoint, ({ header, data }) => {
      header[`${connector}.other`] = { dtype: 'F32', shape: [0], data_offsets: [data.length, data.length] }
    })
    await expectRefusal('CHECKPOINT_TENSOR_UNUSED', `${connector}.other of model.safetensors`, `Check ${fields} in config.json`)
  })

  test('a tensor of another shape', async () => {
    let shape: readonly number[] = []
    editWeights(checkpoint, (weights) => { shape = turn(weights, tower) })
    await expectRefusal('CHECKPOINT_WEIGHTS_INVALID', `Tensor ${tower} of ${file()} has shape [${shape.join(', ')}]`, fields)
  })

  test('a tensor that holds no number', async () => {
    editWeights(checkpoint, (weights) => { spoil(weights, connector) })
    await expectRefusal('CHECKPOINT_WEIGHTS_INVALID', `Tensor ${connector} of ${file()} holds a value that is not a number`)
  })
})

describe('folders of parts:', () => {
  test('a tensor that is missing, and its folder', async () => {
    copyCheckpoint('checkpoint-parts', checkpoint)
    editConfig(checkpoint, (config) => { config.connector_type = 'mlp3x_gelu' })
    await expectRefusal('CHECKPOINT_TENSOR_MISSING', '_connector.4.weight [', '] of connector/', 'Check connector_type and the model types')
  })

  test('a tensor of another shape', async () => {
    copyCheckpoint('checkpoint-parts', checkpoint)
    editConfig(checkpoint, (config) => { config.vision_config = { ...(config.vision_config as object), patch_size: 6 } })
    const name = 'vision_model.embeddings.patch_embedding.weight'
    await expectRefusal('CHECKPOINT_WEIGHTS_INVALID', `Tensor ${name} of ${join(checkpoint, 'vision_tower', 'pytorch_model.bin')} has shape [`)
  })

  test('a tensor of a LoRA\'s base, which peft gave a name of its own', async () => {
    copyCheckpoint('checkpoint-lora', checkpoint)
    editConfig(checkpoint, (config) => { config.text_config = { ...(config.text_config as object), intermediate_size: 8 } })
    const name = 'model.layers.0.mlp.gate_proj.base_layer.weight'
    await expectRefusal('CHECKPOINT_WEIGHTS_INVALID', `Tensor ${name} of ${join(checkpoint, 'language_model', 'pytorch_model.bin')} has shape [`)
  })
})
