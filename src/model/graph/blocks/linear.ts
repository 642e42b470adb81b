import { bitsOf } from '../../precision.js'
import type { Bits } from '../../quantise/block-format.js'
import { ZERO_CODE } from '../../quantise/quantise-transposed.js'
import { MICROSOFT } from '../builder.js'
import { type Module, widthOf } from '../module.js'
import type { Value } from '../value.js'

/** What a linear layer has beside its weight. */
export interface LinearOptions {
  /** Whether it has a bias. @default true */
  readonly bias?: boolean
}

/** A linear layer to be built: the weight is `[features, width]`, as PyTorch keeps it. */
interface Layer {
  readonly module: Module
  /** `[rows, width]`. */
  readonly x: Value
  readonly features: number
  readonly bias: Value | undefined
}

// Quantises what goes in, too, block by block to 8 bits: the only level that is quick on CPUs (ONNX Runtime 1.30).
const ACCURACY_LEVEL = 4

/**
 * `x · weightᵀ + bias`, in the precision of the module's part. No weight is transposed where it needn't be, so
 * that a tied head can share the embedding's bytes.
 *
 * ```
 * fp32, fp16     x ── Gemm(transB) ────────► [rows, features]     weight, bias
 * int8, int4     x ── MatMulNBits ─────────► [rows, features]     packed, scales, bias
 * int8-dynamic   x ── DynamicQuantizeMatMul ► [rows, features]    packedᵀ, scales, bias
 * ```
 *
 * @param x `[rows, width]`.
 */
export function linear(module: Module, x: Value, features: number, { bias = true }: LinearOptions = {}): Value {
  const layer: Layer = { module, x, features, bias: bias ? module.parameter('bias', [features]) : undefined }
  if (module.precision.weights === 'int8-dynamic') return dynamicQuantizeMatMul(layer)
  const bits = bitsOf(module.precision)
  return bits === undefined ? gemm(layer) : matMulNBits(layer, bits)
}

function gemm({ module, x, features, bias }: Layer): Value {
  const inputs = [x, module.parameter('weight', [features, widthOf(x)]), ...(bias === undefined ? [] : [bias])]
  return module.graph.node('Gemm', inputs, resultType(x, features), { attributes: { transB: 1 } })
}

function matMulNBits({ module, x, features, bias }: Layer, bits: Bits): Value {
  const { packed, scales } = module.quantised('weight', [features, widthOf(x)], { bits, layout: 'blocks' })
  // Between them: zero points and the group index, which we don't have.
  const inputs = [x, packed, scales, ...(bias === undefined ? [] : [undefined, undefined, bias])]
  return module.graph.node('MatMulNBits', inputs, resultType(x, features), {
    domain: MICROSOFT,
    attributes: { K: widthOf(x), N: features, bits, block_size: module.precision.blockSize, accuracy_level: ACCURACY_LEVEL },
  })
}

function dynamicQuantizeMatMul({ module, x, features, bias }: Layer): Value {
  const { packed, scales } = module.transposed('weight', [features, widthOf(x)])
  const zero = module.graph.constant('uint8', [], Uint8Array.of(ZERO_CODE))
  const inputs = [x, packed, scales, zero, ...(bias === undefined ? [] : [bias])]
  return module.graph.node('DynamicQuantizeMatMul', inputs, resultType(x, features), { domain: MICROSOFT })
}

const resultType = (x: Value, features: number) => ({ dataType: x.dataType, shape: [x.shape[0] ?? 'rows', features] })
