import { float } from '../builder.js'
import { type Module, widthOf } from '../module.js'
import type { Value } from '../value.js'

/** LayerNorm over the last axis, with weight and bias. */
export function layerNorm(module: Module, x: Value, epsilon: number): Value {
  const width = widthOf(x)
  const inputs = [x, module.parameter('weight', [width]), module.parameter('bias', [width])]
  return module.graph.node('LayerNormalization', inputs, x, { attributes: { axis: -1, epsilon: float(epsilon) } })
}

/** RMSNorm over the last axis: `x / sqrt(mean(x²) + epsilon) * weight` (Zhang & Sennrich 2019). */
export function rmsNorm(module: Module, x: Value, epsilon: number): Value {
  const inputs = [x, module.parameter('weight', [widthOf(x)])]
  return module.graph.node('SimplifiedLayerNormalization', inputs, x, { attributes: { axis: -1, epsilon: float(epsilon) } })
}
