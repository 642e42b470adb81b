import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'

import { z } from 'zod'

import { StreamError } from '../../errors.js'
import { fileTensor } from './file-tensor.js'
import { readSafetensorsHeader } from './safetensors.js'
import type { CheckpointTensor, StoredTensor } from './tensor.js'
import { readTorchFile } from './torch/torch-file.js'

/** A kind of weight files. */
interface WeightFormat {
  /** The file that holds all weights; beside shards lies its name with `.index.json`. */
  readonly single: string
  readonly read: (path: string) => Promise<readonly StoredTensor[]>
}

/** Weights of a model as transformers names their files; the first that is there is taken, as transformers does. */
const MODEL_FORMATS: readonly WeightFormat[] = [
  { single: 'model.safetensors', read: readSafetensorsHeader },
  { single: 'pytorch_model.bin', read: readTorchFile },
]

/** Weights of an adapter as peft names their files. */
const ADAPTER_FORMATS: readonly WeightFormat[] = [
  { single: 'adapter_model.safetensors', read: readSafetensorsHeader },
  { single: 'adapter_model.bin', read: readTorchFile },
]

// A shard lies beside its index: no path leads elsewhere.
const indexSchema = z.object({ weight_map: z.record(z.string(), z.string().regex(/^[^/\\]+$/)) })

/**
 * Lists the tensors of a model in a folder: one file, or shards with their index; safetensors or pickled.
 *
 * @throws {StreamError} `CHECKPOINT_NOT_FOUND`, `CHECKPOINT_WEIGHTS_INVALID`, `CHECKPOINT_UNSAFE`, `CHECKPOINT_UNSUPPORTED`.
 */
export const readModelTensors = (directory: string): Promise<readonly CheckpointTensor[]> => readTensors(directory, MODEL_FORMATS)

/** Lists the tensors of an adapter in a folder. @throws {StreamError} As `readModelTensors`. */
export const readAdapterTensors = (directory: string): Promise<readonly CheckpointTensor[]> => readTensors(directory, ADAPTER_FORMATS)

/** Whether weights of a model lie in a folder itself. */
export const hasModelFiles = (directory: string): boolean =>
  MODEL_FORMATS.some(({ single }) => existsSync(join(directory, single)) || existsSync(join(directory, indexOf(single))))

async function readTensors(directory: string, formats: readonly WeightFormat[]): Promise<readonly CheckpointTensor[]> {
  for (const { single, read } of formats) {
    const files = await weightFiles(directory, single)
    if (files.length === 0) continue
    const lists = await Promise.all(files.map((file) => read(join(directory, file))))
    return lists.flat().map(fileTensor)
  }
  const names = formats.map(({ single }) => single).join(' nor ')
  const advice = 'Name the folder of a TinyLLaVA checkpoint, and fetch its large files too.'
  throw new StreamError('CHECKPOINT_NOT_FOUND', `${directory} holds neither ${names}, nor shards with their index. ${advice}`)
}

async function weightFiles(directory: string, single: string): Promise<readonly string[]> {
  if (existsSync(join(directory, single))) return [single]
  const indexPath = join(directory, indexOf(single))
  if (!existsSync(indexPath)) return []
  const files = await readIndex(indexPath, extname(single))
  const absent = files.filter((file) => !existsSync(join(directory, file)))
  if (absent.length === 0) return files
  throw new StreamError(
    'CHECKPOINT_WEIGHTS_INVALID',
    `${indexOf(single)} names shards that are not in ${directory}: ${absent.join(', ')}. Fetch them too.`,
  )
}

async function readIndex(path: string, extension: string): Promise<readonly string[]> {
  try {
    const index = indexSchema.parse(JSON.parse(await readFile(path, 'utf8')))
    return z.array(z.string().endsWith(extension)).min(1).parse([...new Set(Object.values(index.weight_map))].sort())
  } catch (cause) {
    throw new StreamError('CHECKPOINT_WEIGHTS_INVALID', `${path} is not an index of ${extension} shards.`, { cause })
  }
}

const indexOf = (single: string): string => `${single}.index.json`
