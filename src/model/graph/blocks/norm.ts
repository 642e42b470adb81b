import { type GraphBuilder, float } from '../builder.js'
import { type Module, widthOf } from '../module.js'
import { cast, concat, float32, multiply, reshape } from '../ops.js'
import type { Value } from '../value.js'

/** LayerNorm over the last axis, with weight and bias. */
export function layerNorm(module: Module, x: Value, epsilon: number): Value {
  const width = widthOf(x)
  const inputs = [x, module.parameter('weight', [width]), module.parameter('bias', [width])]
  return module.graph.node('LayerNormalization', inputs, x, { attributes: { axis: -1, epsilon: float(epsilon) } })
}

/** LayerNorm over the last axis without weight and bias: mean 0 and variance 1. */
export function standardise(graph: GraphBuilder, x: Value, epsilon: number): Value {
  const ones = cast(graph, float32(graph, new Float32Array(widthOf(x)).fill(1)), x.dataType)
  return graph.node('LayerNormalization', [x, ones], x, { attributes: { axis: -1, epsilon: float(epsilon) } })
}

/** RMSNorm over the last axis: `x / sqrt(mean(x²) + epsilon) * weight` (Zhang & Sennrich 2019). */
export function rmsNorm(module: Module, x: Value, epsilon: number): Value {
  const inputs = [x, module.parameter('weight', [widthOf(x)])]
  return module.graph.node('SimplifiedLayerNormalization', inputs, x, { attributes: { axis: -1, epsilon: float(epsilon) } })
}

/**
 * RMSNorm that scales by one more than its weight: `x / sqrt(mean(x²) + epsilon) * (1 + weight)` (Gemma Team 2024). The sum is
 * made in float32 while the graph is written, as the reference makes it at each run.
 */
export function shiftedRmsNorm(module: Module, x: Value, epsilon: number): Value {
  const shape = [widthOf(x)]
  const scale = module.computed('weight', shape, { suffix: 'plus-one', shape, compute: (weight) => weight.map((value) => 1 + value) })
  return module.graph.node('SimplifiedLayerNormalization', [x, scale], x, { attributes: { axis: -1, epsilon: float(epsilon) } })
}

/** RMSNorm of each head by itself, all by one weight: `[rows, heads * size]`. */
export function rmsNormHeads(module: Module, x: Value, heads: number, epsilon: number): Value {
  return onHeads(module.graph, x, heads, (apart) => rmsNorm(module, apart, epsilon))
}

/** LayerNorm of each head by a weight of its own (`norms.0.weight`, `norms.1.weight`, …), without bias: `[rows, heads * size]`. */
export function layerNormHeads(module: Module, x: Value, heads: number, epsilon: number): Value {
  const { graph } = module
  const size = widthOf(x) / heads
  const weights = Array.from({ length: heads }, (_, head) => module.child(`norms.${head}`).parameter('weight', [size]))
  const even = onHeads(graph, x, heads, (apart) => standardise(graph, apart, epsilon))
  return multiply(graph, even, concat(graph, weights, 0, heads * size))
}

/** Does something to `[rows, heads, size]` of `[rows, heads * size]`. */
function onHeads(graph: GraphBuilder, x: Value, heads: number, change: (apart: Value) => Value): Value {
  const [rows = 'rows', width] = [x.shape[0], widthOf(x)]
  const apart = reshape(graph, x, [-1, heads, width / heads], [rows, heads, width / heads])
  return reshape(graph, change(apart), [-1, width], [rows, width])
}
