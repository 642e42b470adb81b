import { ftruncateSync, openSync, closeSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'

import { readTorchFile } from '../../src/model/checkpoint/torch/torch-file.js'
import { type Header, editConfig, readSafetensors, safetensorsBytes } from './checkpoint-files.js'
import { type PickledTensor, type ZipRecord, pickleOf, writeZip64 } from './torch-file.js'

const EMBEDDING = 'language_model.model.embed_tokens.weight'

/**
 * Makes two pickled shards of a copied checkpoint of tied embeddings in safetensors: its weights as they are, and an embedding
 * of about `bytes`, all zeros in a hole of the file.
 */
export function growPickled(checkpoint: string, bytes: number): void {
  const { header, data } = readSafetensors(join(checkpoint, 'model.safetensors'))
  const width = header[EMBEDDING]?.shape[1] ?? 0
  const vocabulary = Math.ceil(bytes / (width * 2))
  editConfig(checkpoint, (config) => { (config.text_config as Record<string, unknown>).vocab_size = vocabulary })
  const others = Object.entries(header).filter(([name]) => name !== EMBEDDING && name !== '__metadata__')
  const shards = ['pytorch_model-00001-of-00002.bin', 'pytorch_model-00002-of-00002.bin'] as const
  writeShard(join(checkpoint, shards[0]), others.map(([name, { shape, data_offsets: [begin, end] }]) => ({ name, shape, data: data.subarray(begin, end) })))
  writeShard(join(checkpoint, shards[1]), [{ name: EMBEDDING, shape: [vocabulary, width], data: vocabulary * width * 2 }])
  const places = [...others.map(([name]) => [name, shards[0]]), [EMBEDDING, shards[1]]]
  writeFileSync(join(checkpoint, 'pytorch_model.bin.index.json'), JSON.stringify({ weight_map: Object.fromEntries(places) as unknown }))
  rmSync(join(checkpoint, 'model.safetensors'))
}

interface ShardTensor {
  readonly name: string
  readonly shape: readonly number[]
  /** Float32, or a hole of so many bytes in bfloat16. */
  readonly data: Uint8Array | number
}

function writeShard(path: string, tensors: readonly ShardTensor[]): void {
  const pickled = tensors.map(({ name, shape, data }, index): PickledTensor => {
    const kind = typeof data === 'number' ? ({ storage: 'BFloat16Storage', elements: data / 2 } as const) : { elements: data.length / 4 }
    return { name, key: String(index), shape, ...kind }
  })
  const records = tensors.map(({ data }, index): ZipRecord => ({ name: `a/data/${index}`, data }))
  writeZip64(path, [{ name: 'a/data.pkl', data: pickleOf(...pickled) }, ...records])
}

const LAYER = /\bmodel\.layers\.1\./

/**
 * Gives the language model of a copied LoRA folder as many layers, each as its second, and all adapters a rank, so that they
 * are large beside the base. What is added is zeros in a hole of the file.
 */
export async function growLora(checkpoint: string, { layers, rank }: { readonly layers: number; readonly rank: number }): Promise<void> {
  editConfig(checkpoint, (config) => { (config.text_config as Record<string, unknown>).num_hidden_layers = layers })
  const settings = { peft_type: 'LORA', r: rank, lora_alpha: rank }
  writeFileSync(join(checkpoint, 'adapter_config.json'), JSON.stringify(settings))
  const { header } = readSafetensors(join(checkpoint, 'adapter_model.safetensors'))
  const adapters = Object.entries(header).filter(([name]) => name !== '__metadata__')
    .map(([name, { shape: [rows = 0, columns = 0] }]) => [name, name.includes('lora_A') ? [rank, columns] : [rows, rank]] as const)
  writeZeros(join(checkpoint, 'adapter_model.safetensors'), withLayers(adapters, layers))
  const base = join(checkpoint, 'language_model', 'pytorch_model.bin')
  const shapes = (await readTorchFile(base)).map(({ name, shape }) => [name, shape] as const)
  rmSync(base)
  writeZeros(join(checkpoint, 'language_model', 'model.safetensors'), withLayers(shapes, layers))
}

type Shapes = readonly (readonly [name: string, shape: readonly number[]])[]

const withLayers = (tensors: Shapes, layers: number): Shapes =>
  tensors.flatMap(([name, shape]) => {
    const copies = LAYER.test(name) ? Array.from({ length: layers - 1 }, (_, index) => index + 1) : [undefined]
    return copies.map((layer) => [layer === undefined ? name : name.replace(LAYER, `model.layers.${layer}.`), shape] as const)
  })

/** A safetensors file whose tensors are zeros. */
function writeZeros(path: string, tensors: Shapes): void {
  const header: Header = {}
  let position = 0
  for (const [name, shape] of tensors) {
    const end = position + 4 * shape.reduce((product, size) => product * size, 1)
    header[name] = { dtype: 'F32', shape: [...shape], data_offsets: [position, end] }
    position = end
  }
  const head = safetensorsBytes(header, new Uint8Array())
  const file = openSync(path, 'w')
  writeSync(file, head)
  ftruncateSync(file, head.length + position)
  closeSync(file)
}
