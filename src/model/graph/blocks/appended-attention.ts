import type { GraphBuilder } from '../builder.js'
import {
  add, concat, expand, float32, int64, isLess, isLessOrEqual, matmul, matmulTransposed, multiply, range, reduceSum, reshape, shapeOf, slice,
  softmax, squeeze, unsqueeze, where,
} from '../ops.js'
import type { Value } from '../value.js'
import { joinHeads, splitHeads } from './attention.js'
import { type CachedAttentionInputs, type HeadGeometry, type KeyValue, MASKED } from './cached-attention.js'
import { rotate } from './rotary.js'

/** What all layers' attention shares: derived once from the graph's inputs. */
export interface AppendPosition {
  /** int64 `[batch, sequence]`: position of each new token. */
  readonly positions: Value
  /**
   * By the number of query heads that share a key-value head, float32 `[batch, 1, groups * sequence, past + sequence]`: 0 where
   * a query may look, very low where it may not.
   */
  readonly biases: ReadonlyMap<number, Value>
  /** int64 `[1]`: rows of the cache that there is room for, filled or not. */
  readonly room: Value
}

/** Inputs of one layer's attention over a cache that the caller keeps: rows from a sequence's length on are never looked at. */
export interface AppendedAttentionInputs extends Omit<CachedAttentionInputs, 'position'> {
  readonly position: AppendPosition
}

/** Query heads that share a key-value head. */
const groupsOf = ({ heads, keyValueHeads }: LayerHeads): number => heads / keyValueHeads

/** The heads of a layer, as far as they share keys. */
type LayerHeads = Pick<HeadGeometry, 'heads' | 'keyValueHeads'>

/**
 * Derives what all layers share.
 *
 * ```
 * past      0 … lengths[b] - 1 are tokens, the rest of the room is not
 * sequence  each new token sees those before it and itself
 * ```
 *
 * @param lengths int64 `[batch]`: tokens of each sequence that are in the cache.
 * @param newTokens Any value whose axes 0 and 1 are batch and sequence.
 * @param pastKey Any layer's cache: its axis 2 is the room.
 * @param layers Each layer's heads.
 */
export function appendPosition(
  graph: GraphBuilder,
  { lengths, newTokens, pastKey }: { lengths: Value; newTokens: Value; pastKey: Value },
  layers: readonly LayerHeads[],
): AppendPosition {
  const room = shapeOf(graph, pastKey, 2, 3)
  const count = shapeOf(graph, newTokens, 1, 2)
  const places = range(graph, squeeze(graph, count, [0]), 'sequence')
  const positions = add(graph, unsqueeze(graph, lengths, [1]), unsqueeze(graph, places, [0]))

  const rows = range(graph, squeeze(graph, room, [0]), 'past')
  const isToken = unsqueeze(graph, isLess(graph, rows, unsqueeze(graph, lengths, [1])), [1])
  const batch = shapeOf(graph, newTokens, 0, 1)
  const pastSizes = concat(graph, [batch, count, room], 0, 3)
  const seesPast = expand(graph, isToken, pastSizes, ['batch', 'sequence', 'past'])
  const isEarlier = unsqueeze(graph, isLessOrEqual(graph, unsqueeze(graph, places, [0]), unsqueeze(graph, places, [1])), [0])
  const newSizes = concat(graph, [batch, count, count], 0, 3)
  const seesNew = expand(graph, isEarlier, newSizes, ['batch', 'sequence', 'sequence'])
  const sees = concat(graph, [seesPast, seesNew], 2, 'total')
  const bias = where(graph, sees, float32(graph, 0), float32(graph, MASKED))
  const biases = new Map([...new Set(layers.map(groupsOf))].map((groups) => [groups, repeatBias(graph, bias, groups)]))
  return { positions, biases, room }
}

/** Query heads that share a key-value head lie one behind the other: all of them see the same. */
function repeatBias(graph: GraphBuilder, bias: Value, groups: number): Value {
  const repeated = groups === 1 ? bias : concat(graph, Array.from({ length: groups }, () => bias), 1, 'rows')
  return unsqueeze(graph, repeated, [1])
}

/**
 * Causal attention of new tokens over a cache that the caller keeps and over themselves: the cache is
 * read where it lies, and only the new tokens' keys and values come out. Nothing that is cached is copied,
 * neither here nor on the way in and out; the caller writes the new rows behind the old ones.
 *
 * ```
 * query ─ rotate ─ heads in groups ─┬ MatMul(past keysᵀ) ─┐
 *                                   └ MatMul(new keysᵀ) ──┴ Concat ─ + bias ─ Softmax ─ Split ─┬ MatMul(past values) ─┐
 * key ─── rotate ─ heads ───────────────────────────────────────────────► new keys             └ MatMul(new values) ──┴ + ──► out
 * value ────────── heads ───────────────────────────────────────────────► new values
 * ```
 *
 * Query heads that share a key-value head (Ainslie et al. 2023) become rows of one product, so that each
 * key is read once and not once a head.
 *
 * @returns `output` `[batch, sequence, heads * headSize]`; `fresh`, each `[batch, keyValueHeads, sequence, headSize]`; `weights`
 *   `[batch, keyValueHeads, groups * sequence, room + sequence]`.
 */
export function appendedAttention(
  graph: GraphBuilder,
  { query, key, value, past, geometry, rotary, position }: AppendedAttentionInputs,
): { readonly output: Value; readonly fresh: KeyValue; readonly weights: Value } {
  const { heads, keyValueHeads, headSize } = geometry
  const scale = 1 / Math.sqrt(headSize)
  const bias = position.biases.get(groupsOf(geometry))
  if (bias === undefined) throw new Error('No bias was made for a layer with this many heads.')
  const queries = groupHeads(graph, rotate(graph, query, position.positions, rotary, heads), geometry)
  const keys = splitHeads(graph, rotate(graph, key, position.positions, rotary, keyValueHeads), keyValueHeads)
  const values = splitHeads(graph, value, keyValueHeads)

  const pastScores = matmulTransposed(graph, queries, past.key, scale)
  const newScores = matmulTransposed(graph, queries, keys, scale)
  const scores = concat(graph, [pastScores, newScores], 3, 'total')
  const weights = softmax(graph, add(graph, scores, bias))
  const end = int64(graph, [Number.MAX_SAFE_INTEGER])
  const pastWeights = slice(graph, weights, int64(graph, [0]), position.room, 3, 'past')
  const newWeights = slice(graph, weights, position.room, end, 3, 'sequence')
  const attended = add(graph, matmul(graph, pastWeights, past.value), matmul(graph, newWeights, values))
  return { output: ungroupHeads(graph, attended, geometry), fresh: { key: keys, value: values }, weights }
}

/**
 * How much each new token looked at each row of the cache and at each new token, averaged over the heads of a layer.
 *
 * @param weights As `appendedAttention` gives them.
 * @returns `[batch, sequence, room + sequence]`; each row sums to 1.
 */
export function meanOfGroupedHeads(graph: GraphBuilder, weights: Value, layer: LayerHeads): Value {
  const [batch = 'batch', , , total = 'total'] = weights.shape
  const groups = groupsOf(layer)
  const overShared = reduceSum(graph, weights, [1])
  const apart = reshape(graph, unsqueeze(graph, overShared, [1]), [0, groups, -1, 0], [batch, groups, 'sequence', total])
  return multiply(graph, reduceSum(graph, apart, [1]), float32(graph, 1 / layer.heads))
}

/** `[batch, sequence, heads * size]` → `[batch, keyValueHeads, groups * sequence, size]`. */
function groupHeads(graph: GraphBuilder, x: Value, { heads, keyValueHeads, headSize }: HeadGeometry): Value {
  const split = splitHeads(graph, x, heads)
  if (heads === keyValueHeads) return split
  return reshape(graph, split, [0, keyValueHeads, -1, headSize], [split.shape[0] ?? 'batch', keyValueHeads, 'rows', headSize])
}

/** `[batch, keyValueHeads, groups * sequence, size]` → `[batch, sequence, heads * size]`. */
function ungroupHeads(graph: GraphBuilder, x: Value, { heads, keyValueHeads, headSize }: HeadGeometry): Value {
  const shape = [x.shape[0] ?? 'batch', heads, 'sequence', headSize]
  return joinHeads(graph, heads === keyValueHeads ? { ...x, shape } : reshape(graph, x, [0, heads, -1, headSize], shape))
}
