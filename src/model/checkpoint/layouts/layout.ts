import type { CheckpointFolder } from '../config.js'
import type { CheckpointTensor } from '../tensor.js'

/** What a checkpoint says of itself, in the terms of TinyLLaVA Factory. */
export interface LayoutConfig {
  /** Fields of the Factory's `TinyLlavaConfig`; checked afterwards. */
  readonly config: unknown
  /** Chat template, where all checkpoints of the layout were trained with one. */
  readonly template?: string
}

/** One way in which checkpoints lie on disk: what their configuration and their weights are called. */
export interface CheckpointLayout {
  /** Whether a folder is laid out so. */
  detect(folder: CheckpointFolder): boolean
  /** @throws {StreamError} `CHECKPOINT_CONFIG_INVALID`, `CHECKPOINT_UNSUPPORTED`. */
  describe(folder: CheckpointFolder): LayoutConfig
  /**
   * Lists the weights under the names of TinyLLaVA Factory; reads none.
   *
   * @throws {StreamError} `CHECKPOINT_NOT_FOUND`, `CHECKPOINT_WEIGHTS_INVALID`, `CHECKPOINT_UNSAFE`, `CHECKPOINT_UNSUPPORTED`.
   */
  tensors(folder: CheckpointFolder): Promise<readonly CheckpointTensor[]>
}

/** The same tensor under another name. */
export const renamed = (tensor: CheckpointTensor, name: string): CheckpointTensor => ({ ...tensor, name })

/**
 * Gives tensors other prefixes: the first entry whose prefix a name has applies; other names stay.
 *
 * @param prefixes `[old, new]`.
 */
export function withPrefixes(tensors: readonly CheckpointTensor[], prefixes: readonly (readonly [string, string])[]): readonly CheckpointTensor[] {
  return tensors.map((tensor) => {
    const [old, fresh] = prefixes.find(([prefix]) => tensor.name.startsWith(prefix)) ?? ['', '']
    return renamed(tensor, fresh + tensor.name.slice(old.length))
  })
}
