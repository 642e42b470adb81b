import { StreamError } from '../../../errors.js'
import { linear } from '../../graph/blocks/linear.js'
import type { Module } from '../../graph/module.js'
import { geluExact } from '../../graph/ops.js'
import type { Value } from '../../graph/value.js'
import type { Connector } from '../part.js'
import { tokenRows } from './project-tokens.js'

/**
 * `mlpNx_gelu`: N linear layers on each token, with GELU (erf) between them (reference: TinyLLaVA_Factory
 * `model/connector/mlp.py`).
 *
 * ```
 * features ─ 0: linear ─ GELU ─ 2: linear ─ GELU ─ 4: linear ─ … ──► [frames * tokens, width]
 * ```
 */
export const mlp: Connector = {
  matches: /mlp\d+x_\w+/,
  alone: 'always',
  build(module, features, { connector_type: type }, width) {
    return linearStack(module.child('_connector'), tokenRows(module.graph, features), { width, layers: layersOf(type) })
  },
}

/**
 * Linear layers with GELU between them, as a `nn.Sequential` names them: 0, 2, 4, …
 *
 * @param x `[rows, visionWidth]`.
 * @returns `[rows, width]`.
 */
export function linearStack(sequential: Module, x: Value, { width, layers }: { width: number; layers: number }): Value {
  let hidden = linear(sequential.child('0'), x, width)
  for (let layer = 1; layer < layers; layer += 1) {
    hidden = linear(sequential.child(`${layer * 2}`), geluExact(sequential.graph, hidden), width)
  }
  return hidden
}

function layersOf(type: string): number {
  const [, layers] = /^mlp(\d+)x_gelu$/.exec(type) ?? []
  if (layers !== undefined) return Number(layers)
  throw new StreamError(
    'CHECKPOINT_UNSUPPORTED',
    `connector_type ${type} can't be built: mlpNx_gelu, such as mlp2x_gelu, is the only MLP that the original code can run.`,
  )
}
