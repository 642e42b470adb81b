import { existsSync } from 'node:fs'
import { join } from 'node:path'

import { StreamError } from '../../../errors.js'
import { ADAPTER_CONFIG_FILE, readLoraConfig } from '../lora/adapter-config.js'
import { type Adapter, sortAdapter, withoutPeft } from '../lora/adapter.js'
import { mergedTensor } from '../lora/merged-tensor.js'
import { type CheckpointTensor, showShape } from '../tensor.js'
import { readAdapterTensors } from '../weight-files.js'
import { type CheckpointLayout, renamed } from './layout.js'
import { readPartFolders } from './pretrain-stage.js'

/**
 * What the Factory's `lora` recipe saves: the base's parts in folders of their own, as after its pretraining stage but with
 * peft's `.base_layer` in the names, and the adapter beside. Merged while it is read.
 *
 * Source: TinyLLaVA Factory `training_recipe/lora_recipe.py`, `model/load_model.py`.
 */
export const lora: CheckpointLayout = {
  detect: ({ path }) => existsSync(join(path, ADAPTER_CONFIG_FILE)),
  describe: ({ config }) => ({ config }),
  async tensors({ path }) {
    const [base, adapter, config] = await Promise.all([readPartFolders(path), readAdapterTensors(path), readLoraConfig(path)])
    return merge(base.map((tensor) => renamed(tensor, withoutPeft(tensor.name))), sortAdapter(adapter, config))
  },
}

function merge(base: readonly CheckpointTensor[], { products, replaced }: Adapter): readonly CheckpointTensor[] {
  const shapes = new Map(base.map(({ name, shape }) => [name, shape]))
  for (const [name, { up, down }] of products) checkFits(name, shapes.get(name), [up.shape[0] ?? 0, down.shape[1] ?? 0])
  for (const [name, { shape }] of replaced) checkFits(name, shapes.get(name), shape)
  return base.map((tensor) => {
    const whole = replaced.get(tensor.name)
    return mergedTensor(whole === undefined ? tensor : renamed(whole, tensor.name), products.get(tensor.name))
  })
}

function checkFits(name: string, base: readonly number[] | undefined, adapter: readonly number[]): void {
  if (base?.join() === adapter.join()) return
  const found = base === undefined ? 'the base model has no such tensor' : `the base model's has ${showShape(base)}`
  throw new StreamError(
    'CHECKPOINT_WEIGHTS_INVALID',
    `The adapter changes ${name} ${showShape(adapter)}, but ${found}: it was trained for another base. Put it beside its own.`,
  )
}
