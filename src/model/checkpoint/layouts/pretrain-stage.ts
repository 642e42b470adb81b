import { existsSync } from 'node:fs'
import { join } from 'node:path'

import type { CheckpointTensor } from '../tensor.js'
import { hasModelFiles, readModelTensors } from '../weight-files.js'
import type { OwnName } from '../weights.js'
import { type CheckpointLayout, renamed } from './layout.js'
import { tinyllava } from './tinyllava.js'

/** Folders of the parts, each with where its names hang in a whole checkpoint. */
const PARTS = [
  ['language_model', 'language_model'],
  ['vision_tower', 'vision_tower._vision_tower'],
  ['connector', 'connector'],
] as const

/**
 * What the Factory saves after its pretraining stage: each part in a folder of its own, its names without
 * the part's prefix. Source: TinyLLaVA Factory `training_recipe/base.py` (`save`).
 */
export const pretrainStage: CheckpointLayout = {
  detect: ({ path }) => hasPartFolders(path) && !hasModelFiles(path),
  describe: ({ config }) => ({ config }),
  tensors: ({ path }) => readPartFolders(path),
  ownName: nameInPart,
  fields: tinyllava.fields,
}

/** Whether a folder holds the parts in folders of their own. */
export const hasPartFolders = (path: string): boolean => existsSync(join(path, PARTS[0][0]))

/** The tensors of all part folders, under the names of a whole checkpoint. */
export async function readPartFolders(path: string): Promise<readonly CheckpointTensor[]> {
  const parts = PARTS.map(async ([folder, prefix]) =>
    (await readModelTensors(join(path, folder))).map((tensor) => renamed(tensor, `${prefix}.${tensor.name}`)))
  return (await Promise.all(parts)).flat()
}

/** What a part's folder calls a tensor that a whole checkpoint calls `name`. */
export function nameInPart(name: string): OwnName {
  const [folder, prefix] = PARTS.find(([, prefix]) => name.startsWith(`${prefix}.`)) ?? []
  return prefix === undefined ? { name } : { name: name.slice(prefix.length + 1), folder }
}
