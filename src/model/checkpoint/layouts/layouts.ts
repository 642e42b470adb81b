import { type CheckpointDescription, describeCheckpoint, readFolder } from '../config.js'
import { type CheckpointWeights, checkpointWeights } from '../weights.js'
import type { CheckpointLayout } from './layout.js'
import { legacy } from './legacy.js'
import { llavaHf } from './llava-hf.js'
import { lora } from './lora.js'
import { pretrainStage } from './pretrain-stage.js'
import { tinyllava } from './tinyllava.js'

/** All layouts; the first that detects itself is taken. */
const LAYOUTS: readonly CheckpointLayout[] = [llavaHf, legacy, lora, pretrainStage, tinyllava]

/** A checkpoint, opened: what it says of itself, and its weights to be taken. */
export interface OpenCheckpoint {
  readonly description: CheckpointDescription
  readonly weights: CheckpointWeights
}

/**
 * Opens a checkpoint folder of any layout; reads configuration and the weights' headers, and no weights.
 *
 * @throws {StreamError} `CHECKPOINT_NOT_FOUND`, `CHECKPOINT_CONFIG_INVALID`, `CHECKPOINT_WEIGHTS_INVALID`,
 *   `CHECKPOINT_UNSAFE`, `CHECKPOINT_UNSUPPORTED`.
 */
export async function openCheckpoint(directory: string): Promise<OpenCheckpoint> {
  const folder = await readFolder(directory)
  const layout = LAYOUTS.find((candidate) => candidate.detect(folder)) ?? tinyllava
  const description = await describeCheckpoint(folder, layout.describe(folder))
  return { description, weights: checkpointWeights(await layout.tensors(folder), { directory, ...layout }) }
}
