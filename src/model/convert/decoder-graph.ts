import type { CheckpointConfig } from '../checkpoint/config.js'
import { appendPosition, appendedAttention, meanOfGroupedHeads } from '../graph/blocks/appended-attention.js'
import type { CachedAttentionInputs, HeadGeometry, HeadSize, KeyValue } from '../graph/blocks/cached-attention.js'
import { cachePosition, cachedAttention } from '../graph/blocks/cached-attention.js'
import { rotaryTables } from '../graph/blocks/rotary.js'
import type { GraphBuilder } from '../graph/builder.js'
import { type Module, widthOf } from '../graph/module.js'
import { add, cast, concat, float32, int64, multiply, reshape, shapeOf, slice, unsqueeze } from '../graph/ops.js'
import type { Value } from '../graph/value.js'
import type { Attend, LanguageModel, LanguageModelShape } from '../parts/part.js'

/**
 * Builds the token embedding: `input_ids` to `inputs_embeds`.
 *
 * @param module At `language_model`.
 */
export function buildEmbedding(module: Module, model: LanguageModel, config: CheckpointConfig): void {
  const ids = module.graph.input('input_ids', 'int64', ['batch', 'sequence'])
  module.graph.output('inputs_embeds', cast(module.graph, model.embed(module, ids, config), 'float32'))
}

/** What the graphs of a decoder have in common. */
interface DecoderParts {
  /** At `language_model`. */
  readonly module: Module
  readonly model: LanguageModel
  readonly config: CheckpointConfig
  readonly shape: LanguageModelShape
  /** Positions the rotary tables cover. */
  readonly positions: number
}

/**
 * Builds the decoder as the ecosystem has it: one graph for prefill (no past) and for single steps, whose
 * cache comes out grown by the new tokens. For devices that keep tensors themselves.
 *
 * ```
 * inputs_embeds ─ rows ─ layers(past → present) ─ norm ─ last num_logits_to_keep ─ head ──► logits
 * ```
 */
export function buildDecoder(parts: DecoderParts): void {
  const { graph, attention } = parts.module
  buildLayers({ ...parts, cacheType: parts.module.precision.activations }, (embeddings) => {
    const mask = graph.input('attention_mask', 'int64', ['batch', 'total'])
    const position = cachePosition(graph.scope('position'), mask, embeddings, headOf(parts.shape), attention)
    return (layer, inputs) => {
      const { output, present } = cachedAttention(layer.graph, { ...inputs, position }, attention)
      return { output, cache: present }
    }
  })
}

/** Sees the weights of a layer's attention. */
type WatchLayer = (layer: Module, weights: Value, heads: HeadGeometry) => void

/**
 * Builds the decoder for a cache that the caller keeps: only the new tokens' keys and values come out,
 * and sequences of any lengths run side by side.
 *
 * Attention and cache are float32 in every precision: the processor, for which this is, has no quicker
 * float16, and would convert the whole cache at each step.
 *
 * ```
 * inputs_embeds, past_lengths ─ rows ─ layers(past → present: new rows) ─ norm ─ last num_logits_to_keep ─ head ──► logits
 * ```
 */
export function buildAppendingDecoder(parts: DecoderParts, watch?: WatchLayer): void {
  const { graph } = parts.module
  buildLayers({ ...parts, cacheType: 'float32' }, (embeddings, pastKey) => {
    const lengths = graph.input('past_lengths', 'int64', ['batch'])
    const position = appendPosition(graph.scope('position'), { lengths, newTokens: embeddings, pastKey }, parts.shape.layers)
    return (layer, inputs) => {
      const { output, fresh, weights } = appendedAttention(layer.graph, { ...inputs, position })
      watch?.(layer, weights, inputs.geometry)
      return { output, cache: fresh }
    }
  })
}

/**
 * Builds the decoder of `buildAppendingDecoder` once more, with one output more: `attention`
 * `[batch, sequence, room + sequence]`, how much each new token looked at each row of the cache and at each new token, averaged
 * over heads and layers. Rows without a token are 0.
 */
export function buildExplainingDecoder(parts: DecoderParts): void {
  const { graph } = parts.module
  const looks: Value[] = []
  buildAppendingDecoder(parts, (layer, weights, heads) => { looks.push(meanOfGroupedHeads(layer.graph, weights, heads)) })
  const sum = looks.reduce((all, look) => add(graph, all, look))
  graph.output('attention', multiply(graph, sum, float32(graph, 1 / looks.length)))
}

/** Attention of one layer over its past: the output, and what of the cache comes out. */
type AttendOverPast = (
  layer: Module,
  inputs: Omit<CachedAttentionInputs, 'position'>,
) => { readonly output: Value; readonly cache: KeyValue }

/** A decoder and the type its attention computes in and its cache is kept in. */
interface LayerParts extends DecoderParts {
  readonly cacheType: 'float32' | 'float16'
}

function buildLayers(
  { module, model, config, shape, positions, cacheType }: LayerParts,
  prepare: (embeddings: Value, pastKey: Value) => AttendOverPast,
): void {
  const { graph } = module
  const embeddings = graph.input('inputs_embeds', 'float32', ['batch', 'sequence', shape.width])
  const keep = graph.input('num_logits_to_keep', 'int64', [])
  const batchAndSequence = shapeOf(graph, embeddings, 0, 2)
  const layers = shape.layers.map((heads, layer) => {
    const geometry = { ...heads, ...headOf(shape) }
    return { geometry, past: pastOf(graph, layer, { ...geometry, cacheType }) }
  })
  const attend = prepare(embeddings, first(layers).past.key)
  const rotary = rotaryTables(graph, { ...shape.rotary, positions, dataType: cacheType })

  const attendHere: Attend = (layerModule, layer, { query, key, value }) => {
    const here = layerModule.graph
    const { past, geometry } = layers[layer] ?? first(layers)
    const sequences = (rows: Value): Value => toSequences(here, cast(here, rows, cacheType), batchAndSequence)
    const inputs = { query: sequences(query), key: sequences(key), value: sequences(value), past, geometry, rotary }
    const { output, cache } = attend(layerModule, inputs)
    here.output(`present.${layer}.key`, cache.key)
    here.output(`present.${layer}.value`, cache.value)
    const typed = cast(here, output, module.precision.activations)
    return reshape(here, typed, [-1, widthOf(typed)], ['rows', widthOf(typed)])
  }

  const rows = reshape(graph, embeddings, [-1, shape.width], ['rows', shape.width])
  const hidden = model.decode(module, cast(graph, rows, module.precision.activations), config, attendHere)
  const kept = keepLast(graph.scope('keep'), toSequences(graph, hidden, batchAndSequence), keep)
  const logits = model.head(module, reshape(graph, kept, [-1, shape.width], ['rows', shape.width]), config)
  graph.output('logits', toSequences(graph, cast(graph, logits, 'float32'), shapeOf(graph, kept, 0, 2), 'kept'))
}

const headOf = ({ headSize, rotary: { rotated } }: LanguageModelShape): HeadSize => ({ headSize, rotated })

/** One layer's cache, as inputs of the graph. */
function pastOf(
  graph: GraphBuilder,
  layer: number,
  { keyValueHeads, headSize, cacheType }: HeadGeometry & Pick<LayerParts, 'cacheType'>,
): KeyValue {
  const input = (name: string): Value =>
    graph.input(`past_key_values.${layer}.${name}`, cacheType, ['batch', keyValueHeads, 'past', headSize])
  return { key: input('key'), value: input('value') }
}

function first<T>(values: readonly T[]): T {
  const [value] = values
  if (value === undefined) throw new Error('A language model has at least one layer.')
  return value
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
