import type { CheckpointConfig } from '../checkpoint/config.js'
import { type KeyValue, cachePosition, cachedAttention } from '../graph/blocks/cached-attention.js'
import { rotaryTables } from '../graph/blocks/rotary.js'
import type { GraphBuilder } from '../graph/builder.js'
import { type Module, widthOf } from '../graph/module.js'
import { concat, gather, int64, multiply, reshape, shapeOf, slice, unsqueeze } from '../graph/ops.js'
import type { Value } from '../graph/value.js'
import type { Attend, LanguageModel, LanguageModelShape } from '../parts/part.js'

/**
 * Builds the token embedding: `input_ids` to `inputs_embeds`.
 *
 * @param module At `language_model`.
 */
export function buildEmbedding(module: Module, model: LanguageModel, config: CheckpointConfig): void {
  const ids = module.graph.input('input_ids', 'int64', ['batch', 'sequence'])
  module.graph.output('inputs_embeds', gather(module.graph, model.embeddings(module, config), ids))
}

/**
 * Builds the decoder with its cache: one graph for prefill (no past) and for single steps.
 *
 * ```
 * inputs_embeds ─ rows ─ layers(past → present) ─ norm ─ last num_logits_to_keep ─ head ──► logits
 * ```
 *
 * @param module At `language_model`.
 * @param positions Positions the rotary tables cover.
 */
export function buildDecoder(
  module: Module,
  model: LanguageModel,
  config: CheckpointConfig,
  shape: LanguageModelShape,
  positions: number,
): void {
  const { graph } = module
  const embeddings = graph.input('inputs_embeds', 'float32', ['batch', 'sequence', shape.width])
  const mask = graph.input('attention_mask', 'int64', ['batch', 'total'])
  const keep = graph.input('num_logits_to_keep', 'int64', [])
  const batchAndSequence = shapeOf(graph, embeddings, 0, 2)
  const attend = cachedAttend(module, embeddings, mask, batchAndSequence, shape, positions)
  const rows = reshape(graph, embeddings, [-1, shape.width], ['rows', shape.width])
  const hidden = model.decode(module, rows, config, attend)
  const sequences = toSequences(graph, hidden, batchAndSequence)
  const kept = keepLast(graph.scope('keep'), sequences, keep)
  const logits = model.head(module, reshape(graph, kept, [-1, shape.width], ['rows', shape.width]), config)
  graph.output('logits', toSequences(graph, logits, shapeOf(graph, kept, 0, 2), 'kept'))
}

/** `[batch * sequence, width]` → `[batch, sequence, width]`. */
function toSequences(graph: GraphBuilder, rows: Value, batchAndSequence: Value, sequence = 'sequence'): Value {
  const width = widthOf(rows)
  const sizes = concat(graph, [batchAndSequence, int64(graph, [width])], 0, 3)
  return reshape(graph, rows, sizes, ['batch', sequence, width])
}

/** The last `count` tokens of each sequence. */
function keepLast(graph: GraphBuilder, sequences: Value, count: Value): Value {
  const start = unsqueeze(graph, multiply(graph, count, int64(graph, -1)), [0])
  return slice(graph, sequences, start, int64(graph, [Number.MAX_SAFE_INTEGER]), 1, 'kept')
}

/** Attention of one layer: declares its cache as input and output, shares what all layers share. */
function cachedAttend(
  root: Module,
  embeddings: Value,
  mask: Value,
  batchAndSequence: Value,
  shape: LanguageModelShape,
  positions: number,
): Attend {
  const { heads, keyValueHeads, headSize } = shape
  const position = cachePosition(root.graph.scope('position'), mask, embeddings, shape, root.attention)
  const rotary = rotaryTables(root.graph, { theta: shape.ropeTheta, rotated: shape.rotated, positions })
  const past = (layer: number, name: string): Value =>
    root.graph.input(`past_key_values.${layer}.${name}`, 'float32', ['batch', keyValueHeads, 'past', headSize])

  return (module, layer, projections) => {
    const { graph } = module
    const cache: KeyValue = { key: past(layer, 'key'), value: past(layer, 'value') }
    const query = toSequences(graph, projections.query, batchAndSequence)
    const key = toSequences(graph, projections.key, batchAndSequence)
    const value = toSequences(graph, projections.value, batchAndSequence)
    const inputs = { query, key, value, past: cache, geometry: shape, rotary, position }
    const { output, present } = cachedAttention(graph, inputs, module.attention)
    graph.output(`present.${layer}.key`, present.key)
    graph.output(`present.${layer}.value`, present.value)
    return reshape(graph, output, [-1, heads * headSize], ['rows', heads * headSize])
  }
}
