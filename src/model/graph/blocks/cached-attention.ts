import { type GraphBuilder, MICROSOFT, float } from '../builder.js'
import type { AttentionLowering } from '../module.js'
import {
  add, and, cast, concat, expand, float32, int64, isLessOrEqual, matmul, multiply, range, reduceSum, reshape, scalarLike, shapeOf, slice, softmax,
  squeeze, subtract, transpose, unsqueeze, where,
} from '../ops.js'
import type { Value } from '../value.js'
import { joinHeads, splitHeads } from './attention.js'
import { type RotaryTables, rotate } from './rotary.js'

/** Keys and values of the tokens seen so far, each `[batch, keyValueHeads, past, headSize]`. */
export interface KeyValue {
  readonly key: Value
  readonly value: Value
}

/** What all layers' attention shares: derived once from the graph's inputs. */
export interface CachePosition {
  /** int32 `[batch]`: tokens of each sequence including the new ones, less one. */
  readonly lastIndex: Value
  /** int32 scalar: length of the longest sequence including the new tokens. */
  readonly totalLength: Value
  /** int64 `[batch, sequence]`: position of each new token. Only where rotation isn't fused. */
  readonly positions?: Value
  /** float32 `[batch, 1, sequence, total]`, added to the scores. Only where attention isn't fused. */
  readonly causalBias?: Value
}

/** A head of a language model's attention: the same in all layers. */
export interface HeadSize {
  readonly headSize: number
  /** Values of it that are rotated. */
  readonly rotated: number
}

/** The heads of one layer's attention. */
export interface HeadGeometry extends HeadSize {
  readonly heads: number
  readonly keyValueHeads: number
}

/** Inputs of one layer's attention with a cache. */
export interface CachedAttentionInputs {
  /** `[batch, sequence, heads * headSize]`, before rotation. */
  readonly query: Value
  /** `[batch, sequence, keyValueHeads * headSize]`, before rotation. */
  readonly key: Value
  readonly value: Value
  readonly past: KeyValue
  readonly geometry: HeadGeometry
  readonly rotary: RotaryTables
  readonly position: CachePosition
}

/** What hides a score: far below any, and far above float32's limit, so that adding it can't overflow. */
export const MASKED = -1e30

/**
 * Whether `GroupQueryAttention` can rotate by itself: it wants whole heads of a multiple of 16
 * (ONNX Runtime 1.30, on CPU).
 */
function canFuseRotation({ headSize, rotated }: HeadSize): boolean {
  return rotated === headSize && headSize % 16 === 0
}

/** How attention over heads of this size is lowered: `GroupQueryAttention` wants a multiple of 8 (ONNX Runtime 1.30, on CPU). */
function loweringOf({ headSize }: HeadSize, wanted: AttentionLowering): AttentionLowering {
  return headSize % 8 === 0 ? wanted : 'primitive'
}

/**
 * Derives what all layers share from the attention mask.
 *
 * @param mask int64 `[batch, past + sequence]`, 1 for every token there is.
 * @param newTokens Any value whose axes 0 and 1 are batch and sequence.
 */
export function cachePosition(
  graph: GraphBuilder,
  mask: Value,
  newTokens: Value,
  head: HeadSize,
  wanted: AttentionLowering,
): CachePosition {
  const lowering = loweringOf(head, wanted)
  const lengths = cast(graph, reduceSum(graph, mask, [1]), 'int32')
  const one = cast(graph, int64(graph, 1), 'int32')
  const total = squeeze(graph, shapeOf(graph, mask, 1, 2), [0])
  const shared = { lastIndex: subtract(graph, lengths, one), totalLength: cast(graph, total, 'int32') }
  if (lowering === 'fused' && canFuseRotation(head)) return shared
  const batchAndSequence = shapeOf(graph, newTokens, 0, 2)
  const sequence = squeeze(graph, slice(graph, batchAndSequence, int64(graph, [1]), int64(graph, [2]), 0, 1), [0])
  const queries = add(graph, range(graph, sequence, 'sequence'), subtract(graph, total, sequence))
  const positions = expand(graph, unsqueeze(graph, queries, [0]), batchAndSequence, ['batch', 'sequence'])
  return lowering === 'fused' ? { ...shared, positions } : { ...shared, positions, causalBias: causalBias(graph, mask, queries, total) }
}

/** 0 where a query may look, very low where it may not: at later tokens and at padding. */
function causalBias(graph: GraphBuilder, mask: Value, queries: Value, total: Value): Value {
  const isPast = isLessOrEqual(graph, range(graph, total, 'total'), unsqueeze(graph, queries, [1]))
  const isToken = unsqueeze(graph, cast(graph, mask, 'bool'), [1, 2])
  return where(graph, and(graph, isPast, isToken), float32(graph, 0), float32(graph, MASKED))
}

/**
 * Causal attention of new tokens over the cached and the new ones, keys and queries rotated, each
 * key-value head shared by `heads / keyValueHeads` query heads (Ainslie et al. 2023).
 *
 * ```
 * fused      query, key, value, past, lengths, tables ── GroupQueryAttention ──► out, present
 * primitive  query ─ rotate ─ scale ─ heads ────────────┐   also where heads are of a size that the fused one can't take
 *            key ─── rotate ─ heads ─ Concat(past) ─ ᵀ ─┴ MatMul ─ + causal ─ Softmax ─┐
 *            value ────────── heads ─ Concat(past) ────────────────────────────────────┴ MatMul ─► out
 * ```
 */
export function cachedAttention(
  graph: GraphBuilder,
  inputs: CachedAttentionInputs,
  wanted: AttentionLowering,
): { readonly output: Value; readonly present: KeyValue } {
  return loweringOf(inputs.geometry, wanted) === 'fused' ? fusedCachedAttention(graph, inputs) : primitiveCachedAttention(graph, inputs)
}

function fusedCachedAttention(graph: GraphBuilder, inputs: CachedAttentionInputs): { output: Value; present: KeyValue } {
  const { geometry, past, position, rotary } = inputs
  const isFused = canFuseRotation(geometry)
  const { query, key } = isFused ? inputs : rotateBoth(graph, inputs)
  const tables = isFused ? [rotary.cosine, rotary.sine] : []
  const [output, presentKey, presentValue] = graph.nodes(
    'GroupQueryAttention',
    [query, key, inputs.value, past.key, past.value, position.lastIndex, position.totalLength, ...tables],
    [query, presentType(past.key), presentType(past.value)],
    {
      domain: MICROSOFT,
      attributes: {
        num_heads: geometry.heads,
        kv_num_heads: geometry.keyValueHeads,
        do_rotary: isFused ? 1 : 0,
        rotary_interleaved: 0,
        scale: float(1 / Math.sqrt(geometry.headSize)),
      },
    },
  )
  if (output === undefined || presentKey === undefined || presentValue === undefined) throw new Error('unreachable')
  return { output, present: { key: presentKey, value: presentValue } }
}

function rotateBoth(graph: GraphBuilder, inputs: CachedAttentionInputs): { query: Value; key: Value } {
  const { geometry, position, rotary } = inputs
  if (position.positions === undefined) throw new Error('No positions were made for a rotation that is not fused.')
  return {
    query: rotate(graph, inputs.query, position.positions, rotary, geometry.heads),
    key: rotate(graph, inputs.key, position.positions, rotary, geometry.keyValueHeads),
  }
}

function presentType({ dataType, shape }: Value): Value {
  return { name: '', dataType, shape: shape.map((size) => (size === 'past' ? 'total' : size)) }
}

function primitiveCachedAttention(graph: GraphBuilder, inputs: CachedAttentionInputs): { output: Value; present: KeyValue } {
  const { past, geometry: { heads, keyValueHeads, headSize }, position } = inputs
  if (position.causalBias === undefined) throw new Error('No causal bias was made for an attention that is not fused.')
  const { query, key } = rotateBoth(graph, inputs)
  const present = {
    key: concat(graph, [past.key, splitHeads(graph, key, keyValueHeads)], 2, 'total'),
    value: concat(graph, [past.value, splitHeads(graph, inputs.value, keyValueHeads)], 2, 'total'),
  }
  const scaled = splitHeads(graph, multiply(graph, query, scalarLike(graph, query, 1 / Math.sqrt(headSize))), heads)
  const keys = transpose(graph, shareHeads(graph, present.key, heads), [0, 1, 3, 2])
  // In float32, as the bias is: float16 has nothing that is far below every score and can be added to one.
  const scores = add(graph, cast(graph, matmul(graph, scaled, keys), 'float32'), position.causalBias)
  const weights = cast(graph, softmax(graph, scores), query.dataType)
  return { output: joinHeads(graph, matmul(graph, weights, shareHeads(graph, present.value, heads))), present }
}

/** `[batch, keyValueHeads, total, size]` → `[batch, heads, total, size]`, each head repeated for its group. */
function shareHeads(graph: GraphBuilder, x: Value, heads: number): Value {
  const [batch = 'batch', keyValueHeads, total = 'total', size = 1] = x.shape
  const repeats = heads / Number(keyValueHeads)
  if (repeats === 1) return x
  const shape = [batch, Number(keyValueHeads), repeats, total, size]
  const repeated = expand(graph, unsqueeze(graph, x, [2]), int64(graph, [1, 1, repeats, 1, 1]), shape)
  // The batch is kept by 0; the length is what is left.
  return reshape(graph, repeated, [0, heads, -1, Number(size)], [batch, heads, total, size])
}
