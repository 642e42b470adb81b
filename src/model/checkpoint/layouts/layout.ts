import type { CheckpointFolder } from '../config.js'
import type { CheckpointTensor } from '../tensor.js'
import type { CheckpointTerms, OwnName } from '../weights.js'

/** What a checkpoint says of itself, in the terms of TinyLLaVA Factory. */
export interface LayoutConfig {
  /** Fields of the Factory's `TinyLlavaConfig`; checked afterwards. */
  readonly config: unknown
  /** Chat template, where all checkpoints of the layout were trained with one. */
  readonly template?: string
}

/** One way in which checkpoints lie on disk: what their configuration and their weights are called. */
export interface CheckpointLayout extends Pick<CheckpointTerms, 'fields' | 'ownName'> {
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

/** Prefixes of a layout's names, each with the Factory's for it. The first that a name has applies; other names stay. */
export type Prefixes = readonly (readonly [own: string, factory: string])[]

/** Gives tensors the Factory's prefixes. */
export const withPrefixes = (tensors: readonly CheckpointTensor[], prefixes: Prefixes): readonly CheckpointTensor[] =>
  tensors.map((tensor) => renamed(tensor, swapPrefix(tensor.name, prefixes)))

/** What a layout calls a tensor that the Factory calls `name`. */
export const beforePrefixes = (name: string, prefixes: Prefixes): OwnName =>
  ({ name: swapPrefix(name, prefixes.map(([own, factory]) => [factory, own])) })

function swapPrefix(name: string, prefixes: readonly (readonly [string, string])[]): string {
  const [from, to] = prefixes.find(([prefix]) => name.startsWith(prefix)) ?? ['', '']
  return to + name.slice(from.length)
}
