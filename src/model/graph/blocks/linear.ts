import { type Module, widthOf } from '../module.js'
import type { Value } from '../value.js'

/** What a linear layer has beside its weight. */
export interface LinearOptions {
  /** Whether it has a bias. @default true */
  readonly bias?: boolean
}

/**
 * `x · weightᵀ + bias`, with the weight `[features, width]` as PyTorch keeps it, so that converting
 * needs no transposition and a tied head can share the embedding's bytes.
 *
 * ```
 * x [rows, width] ── Gemm(transB) ──► [rows, features]
 *                     ▲    ▲
 *                weight    bias
 * ```
 */
export function linear(module: Module, x: Value, features: number, { bias = true }: LinearOptions = {}): Value {
  const inputs = [x, module.parameter('weight', [features, widthOf(x)])]
  if (bias) inputs.push(module.parameter('bias', [features]))
  const type = { dataType: x.dataType, shape: [x.shape[0] ?? 'rows', features] }
  return module.graph.node('Gemm', inputs, type, { attributes: { transB: 1 } })
}
