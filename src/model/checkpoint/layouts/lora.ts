import { existsSync } from 'node:fs'
import { join } from 'node:path'

import { StreamError } from '../../../errors.js'
import { ADAPTER_CONFIG_FILE, readLoraConfig } from '../lora/adapter-config.js'
import { type Adapter, sortAdapter, withoutPeft } from '../lora/adapter.js'
import { mergedTensor } from '../lora/merged-tensor.js'
import { type CheckpointTensor, showOrigin, showShape } from '../tensor.js'
import { hasModelFiles, readAdapterTensors } from '../weight-files.js'
import { type CheckpointLayout, renamed } from './layout.js'
import { hasPartFolders, pretrainStage, readPartFolders } from './pretrain-stage.js'

/**
 * What the Factory's `lora` recipe saves: the base's parts in folders of their own, as after its pretraining stage but with
 * peft's `.base_layer` in the names, and the adapter beside. Merged while it is read. Whole weights that lie there, too
 * (somebody merged it before), are left alone: the reference reads parts and adapter only.
 *
 * Source: TinyLLaVA Factory `training_recipe/lora_recipe.py`, `model/load_model.py`.
 */
export const lora: CheckpointLayout = {
  detect: ({ path }) => existsSync(join(path, ADAPTER_CONFIG_FILE)),
  describe: ({ config }) => ({ config }),
  async tensors({ path }) {
    if (!hasPartFolders(path) && hasModelFiles(path)) throw mergedAlready(path)
    const [base, adapter, config] = await Promise.all([readPartFolders(path), readAdapterTensors(path), readLoraConfig(path)])
    return merge(base.map((tensor) => renamed(tensor, withoutPeft(tensor.name))), sortAdapter(adapter, config))
  },
  ownName: pretrainStage.ownName,
  fields: pretrainStage.fields,
}

/** Whether the adapter is in these weights already can't be seen: merging it twice, or never, would be another model. */
function mergedAlready(path: string): StreamError {
  const found = `${path} holds an adapter and whole weights, not the base in parts that an adapter is merged into`
  const advice = `If these weights were merged with it, remove ${ADAPTER_CONFIG_FILE}; else put the base's language_model/, vision_tower/ and connector/ there`
  return new StreamError('CHECKPOINT_UNSUPPORTED', `${found}. ${advice}.`)
}

function merge(base: readonly CheckpointTensor[], { products, replaced }: Adapter): readonly CheckpointTensor[] {
  const bases = new Map(base.map((tensor) => [tensor.name, tensor]))
  for (const [name, { up, down }] of products) checkFits(up, [up.shape[0] ?? 0, down.shape[1] ?? 0], bases.get(name))
  for (const [name, whole] of replaced) checkFits(whole, whole.shape, bases.get(name))
  return base.map((tensor) => {
    const whole = replaced.get(tensor.name)
    return mergedTensor(whole === undefined ? tensor : renamed(whole, tensor.name), products.get(tensor.name))
  })
}

/** @param shape Of what the adapter changes. */
function checkFits(adapter: CheckpointTensor, shape: readonly number[], base: CheckpointTensor | undefined): void {
  if (base?.shape.join() === shape.join()) return
  const found = base === undefined ? 'the base model has no such tensor' : `${showOrigin(base)} has ${showShape(base.shape)}`
  throw new StreamError(
    'CHECKPOINT_WEIGHTS_INVALID',
    `${showOrigin(adapter)} changes a tensor of ${showShape(shape)}, but ${found}: it was trained for another base. Put it beside its own.`,
  )
}
