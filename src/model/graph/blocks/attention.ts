import { type GraphBuilder, MICROSOFT, float } from '../builder.js'
import { type AttentionLowering, type AttentionWatch, widthOf } from '../module.js'
import { add, cast, matmul, multiply, reshape, scalarLike, softmax, transpose } from '../ops.js'
import type { Value } from '../value.js'

/** Inputs of an attention without a cache. */
export interface AttentionInputs {
  /** `[batch, sequence, heads * headSize]`. */
  readonly query: Value
  /** `[batch, memory, heads * headSize]`. */
  readonly key: Value
  /** `[batch, memory, heads * headSize]`. */
  readonly value: Value
  readonly heads: number
  /** Added to the scores, `[batch, 1, sequence, memory]`, of their type. */
  readonly bias?: Value
  /** Is handed the weights, which only plain operators show. */
  readonly watch?: AttentionWatch | undefined
}

/**
 * Scaled dot-product attention, scale `1 / sqrt(headSize)`, over all of `key` (Vaswani et al. 2017).
 *
 * ```
 * fused      query, key, value, bias ── MultiHeadAttention ──► out
 * primitive  query ─ scale ─ heads ─┐
 *            key ──────── headsᵀ ───┴ MatMul ─ (+ bias) ─ Softmax ─┐
 *            value ────── heads ───────────────────────────────────┴ MatMul ─ join ──► out
 * ```
 *
 * @returns `[batch, sequence, heads * headSize]`.
 */
export function attention(graph: GraphBuilder, inputs: AttentionInputs, lowering: AttentionLowering): Value {
  return lowering === 'fused' && inputs.watch === undefined ? fusedAttention(graph, inputs) : primitiveAttention(graph, inputs)
}

function fusedAttention(graph: GraphBuilder, { query, key, value, heads, bias }: AttentionInputs): Value {
  const inputs = [query, key, value, ...(bias === undefined ? [] : [undefined, undefined, bias])]
  const headSize = widthOf(query) / heads
  const attributes = { num_heads: heads, scale: float(1 / Math.sqrt(headSize)) }
  return graph.node('MultiHeadAttention', inputs, query, { attributes, domain: MICROSOFT })
}

function primitiveAttention(graph: GraphBuilder, { query, key, value, heads, bias, watch }: AttentionInputs): Value {
  const scale = scalarLike(graph, query, 1 / Math.sqrt(widthOf(query) / heads))
  const scaled = splitHeads(graph, multiply(graph, query, scale), heads)
  const scores = matmul(graph, scaled, transpose(graph, splitHeads(graph, key, heads), [0, 1, 3, 2]))
  const weights = softmax32(graph, bias === undefined ? scores : add(graph, scores, bias))
  watch?.(weights)
  return joinHeads(graph, matmul(graph, weights, splitHeads(graph, value, heads)))
}

/** Softmax in float32, whatever the scores are in: their exponentials leave float16's range. */
function softmax32(graph: GraphBuilder, scores: Value): Value {
  return cast(graph, softmax(graph, cast(graph, scores, 'float32')), scores.dataType)
}

/** `[batch, sequence, heads * size]` → `[batch, heads, sequence, size]`. */
export function splitHeads(graph: GraphBuilder, x: Value, heads: number): Value {
  const size = widthOf(x) / heads
  const [batch = 'batch', sequence = 'sequence'] = x.shape
  return transpose(graph, reshape(graph, x, [0, 0, heads, size], [batch, sequence, heads, size]), [0, 2, 1, 3])
}

/** `[batch, heads, sequence, size]` → `[batch, sequence, heads * size]`. */
export function joinHeads(graph: GraphBuilder, x: Value): Value {
  const [batch = 'batch', heads, sequence = 'sequence'] = x.shape
  const width = Number(heads) * widthOf(x)
  return reshape(graph, transpose(graph, x, [0, 2, 1, 3]), [0, 0, width], [batch, sequence, width])
}
