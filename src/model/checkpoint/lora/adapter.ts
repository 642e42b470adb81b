import { StreamError } from '../../../errors.js'
import { unsupported } from '../config.js'
import { type CheckpointTensor, showOrigin, showShape } from '../tensor.js'
import { ADAPTER_CONFIG_FILE, type LoraConfig, loraScale } from './adapter-config.js'

/** What an adapter adds to one matrix `[rows, columns]`: `scale · up · down`. */
export interface LowRank {
  /** `lora_A`: `[rank, columns]`. */
  readonly down: CheckpointTensor
  /** `lora_B`: `[rows, rank]`. */
  readonly up: CheckpointTensor
  readonly scale: number
}

/** An adapter by the names of the tensors it changes. */
export interface Adapter {
  readonly products: ReadonlyMap<string, LowRank>
  /** Tensors it holds whole (`modules_to_save`, trained biases). */
  readonly replaced: ReadonlyMap<string, CheckpointTensor>
}

// What peft puts around the model's own names.
const PEFT_PREFIX = 'base_model.model.'

/** The model's own name of a tensor that peft saved. */
export const withoutPeft = (name: string): string => name.replace(PEFT_PREFIX, '').replaceAll('.base_layer', '')

/**
 * Sorts an adapter's tensors by what they change.
 *
 * @throws {StreamError} `CHECKPOINT_UNSUPPORTED` for what is no LoRA of a linear layer; `CHECKPOINT_WEIGHTS_INVALID` where
 *   a layer's two matrices don't fit together or the settings.
 */
export function sortAdapter(tensors: readonly CheckpointTensor[], config: LoraConfig): Adapter {
  const byName = new Map(tensors.map((tensor) => [withoutPeft(tensor.name), tensor]))
  const products = new Map<string, LowRank>()
  const replaced = new Map<string, CheckpointTensor>()
  for (const [name, tensor] of byName) {
    const [, layer, kind] = /^(.*)\.lora_(.*)$/.exec(name) ?? []
    if (layer === undefined) replaced.set(name, tensor)
    else if (kind === 'A.weight') products.set(`${layer}.weight`, pair(layer, [tensor, byName.get(`${layer}.lora_B.weight`)], config))
    else if (kind !== 'B.weight') throw unsupported(`Tensor ${showOrigin(tensor)}`)
    else if (!byName.has(`${layer}.lora_A.weight`)) throw invalid(`The adapter lacks lora_A beside ${showOrigin(tensor)}.`)
  }
  return { products, replaced }
}

type Matrices = readonly [down: CheckpointTensor, up: CheckpointTensor | undefined]

function pair(layer: string, [down, up]: Matrices, config: LoraConfig): LowRank {
  if (up === undefined) throw invalid(`The adapter lacks lora_B beside ${showOrigin(down)}.`)
  const { rank, scale } = loraScale(config, layer)
  const shapes = [down.shape, up.shape] as const
  if (shapes.some(({ length }) => length !== 2) || down.shape[0] !== rank || up.shape[1] !== rank) {
    const found = `${showOrigin(down)} and its lora_B have shapes ${shapes.map(showShape).join(' and ')}`
    throw invalid(`${found}, ${ADAPTER_CONFIG_FILE} says rank ${rank}.`)
  }
  return { down, up, scale }
}

const invalid = (message: string): StreamError => new StreamError('CHECKPOINT_WEIGHTS_INVALID', message)
