import { mkdirSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'

import { type Header, safetensorsBytes } from './checkpoint-files.js'
import { seededNormals } from './seeded.js'
import { copyTokenizer } from './tokenizer-files.js'
import { type TensorShape, countValues } from './zoo/shapes.js'

/** A checkpoint to be written. */
export interface CheckpointParts {
  readonly config: Readonly<Record<string, unknown>>
  readonly tensors: readonly TensorShape[]
  /** Folder with the tokenizer's files. */
  readonly tokenizer: string
}

/** Writes a checkpoint whose weights are random, in float32: norms around 1, matrices that keep their input's scale. */
export function writeRandomCheckpoint(folder: string, { config, tensors, tokenizer }: CheckpointParts): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config))
  copyTokenizer(tokenizer, folder)
  const values = tensors.map((tensor, place) => randomValues(tensor, place + 1))
  const data = Buffer.concat(values.map(({ buffer }) => new Uint8Array(buffer)))
  writeFileSync(join(folder, 'model.safetensors'), safetensorsBytes(headerOf(tensors, 'F32'), data))
}

/** Writes a checkpoint of any size in F16 without its weights: its file has a hole of their length, which takes no room. */
export async function writeHollowCheckpoint(folder: string, { config, tensors }: Pick<CheckpointParts, 'config' | 'tensors'>): Promise<void> {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config))
  const header = safetensorsBytes(headerOf(tensors, 'F16'), new Uint8Array())
  const file = await open(join(folder, 'model.safetensors'), 'w')
  await file.write(header)
  await file.truncate(header.length + countValues(tensors) * 2)
  await file.close()
}

function headerOf(tensors: readonly TensorShape[], dtype: 'F32' | 'F16'): Header {
  let offset = 0
  const entries = tensors.map(([name, shape]) => {
    const begin = offset
    offset += countValues([[name, shape]]) * (dtype === 'F32' ? 4 : 2)
    return [name, { dtype, shape: [...shape], data_offsets: [begin, offset] }] as const
  })
  return Object.fromEntries(entries) as Header
}

function randomValues([name, shape]: TensorShape, seed: number): Float32Array<ArrayBuffer> {
  const count = countValues([[name, shape]])
  const normals = seededNormals(count, seed)
  const isVector = shape.length === 1
  const scale = isVector ? 0.1 : 1.2 / Math.sqrt(count / (shape[0] ?? 1))
  const centre = isVector && name.endsWith('weight') ? 1 : 0
  return Float32Array.from(normals, (value) => centre + value * scale)
}
