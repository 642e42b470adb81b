import { unsupported } from '../checkpoint/config.js'
import type { GraphBuilder } from '../graph/builder.js'
import { geluExact, geluTanh, quickGelu, silu } from '../graph/ops.js'
import type { Value } from '../graph/value.js'

/** An activation function on any shape. */
export type Activation = (graph: GraphBuilder, x: Value) => Value

/** Activations by the names transformers gives them in `hidden_act`. */
const activations: Readonly<Record<string, Activation>> = {
  gelu: geluExact,
  gelu_new: geluTanh,
  gelu_pytorch_tanh: geluTanh,
  quick_gelu: quickGelu,
  silu,
  swish: silu,
}

/**
 * Looks an activation up by its name in `hidden_act`.
 *
 * @throws {StreamError} `CHECKPOINT_UNSUPPORTED`, listing the known ones.
 */
export function activation(name: string): Activation {
  const found = Object.hasOwn(activations, name) ? activations[name] : undefined
  if (found !== undefined) return found
  throw unsupported(`hidden_act "${name}" (known: ${Object.keys(activations).join(', ')})`)
}
