import type { CheckpointConfig } from '../../checkpoint/config.js'
import { embedding } from '../../graph/blocks/embedding.js'
import { linear } from '../../graph/blocks/linear.js'
import { rmsNorm, rmsNormHeads } from '../../graph/blocks/norm.js'
import type { Module } from '../../graph/module.js'
import { add, multiply, splitLast } from '../../graph/ops.js'
import type { Value } from '../../graph/value.js'
import { activation } from '../activations.js'
import type { LanguageModel, LanguageModelShape } from '../part.js'
import { type AttendHere, checkShape } from './decoder-only.js'
import { eosList } from './eos.js'
import { type OpenelmConfig, type OpenelmLayer, parseOpenelm } from './openelm-config.js'

// The reference has no setting for it.
const EPSILON = 1e-6

/**
 * OpenELM (Mehta et al. 2024), as the copy in TinyLLaVA_Factory `model/llm/openelm.py`: heads and feed-forward widths of
 * each layer's own, queries and keys normalised before they are rotated, queries, keys and values in one matrix, gate and
 * up in one, too; no biases.
 */
export const openelm: LanguageModel = {
  modelTypes: ['openelm'],
  template: 'llama',

  describe: (config) => describeOpenelm(parseOpenelm(config)),

  embed(module, ids, config) {
    const text = parseOpenelm(config)
    return embedding(module.child('transformer.token_embeddings'), ids, [text.vocab_size, text.model_dim])
  },

  decode(module, embeddings, config, attend) {
    const text = parseOpenelm(config)
    let hidden = embeddings
    for (const [index, layer] of text.layers.entries()) {
      hidden = openelmLayer(module.child(`transformer.layers.${index}`), hidden, { text, layer }, (self, projections) =>
        attend(self, index, projections))
    }
    return rmsNorm(module.child('transformer.norm'), hidden, EPSILON)
  },

  head: openelmHead,
}

function describeOpenelm(text: OpenelmConfig): LanguageModelShape {
  return checkShape({
    width: text.model_dim,
    layers: text.layers,
    headSize: text.head_dim,
    vocabularySize: text.vocab_size,
    rotary: { rotated: text.head_dim, theta: text.rope_freq_constant, factor: 1 },
    maxPositions: text.max_context_length,
    endsAtMaxPositions: false,
    eosTokenIds: eosList(text.eos_token_id),
  })
}

/** The head is the embedding where either field says so; a second one in the file is never looked at. */
function openelmHead(module: Module, hidden: Value, config: CheckpointConfig): Value {
  const text = parseOpenelm(config)
  module.ignore(/^transformer\.classifier\.weight$/)
  const isTied = text.share_input_output_layers || text.tie_word_embeddings
  if (!isTied) return linear(module.child('lm_head'), hidden, text.vocab_size, { bias: false })
  module.ignore(/^lm_head\.weight$/)
  return linear(module.child('transformer.token_embeddings'), hidden, text.vocab_size, { bias: false })
}

/** A layer to be built. */
interface LayerPlan {
  readonly text: OpenelmConfig
  readonly layer: OpenelmLayer
}

/** norm → attention → + → norm → feed-forward → +, on `[rows, width]`. */
function openelmLayer(module: Module, hidden: Value, plan: LayerPlan, attend: AttendHere): Value {
  const { graph } = module
  const attended = selfAttention(module.child('attn'), rmsNorm(module.child('attn_norm'), hidden, EPSILON), plan, attend)
  const middle = add(graph, hidden, attended)
  return add(graph, middle, feedForward(module.child('ffn'), rmsNorm(module.child('ffn_norm'), middle, EPSILON), plan))
}

/**
 * ```
 * x ─ qkv_proj ─ Split ─┬ query ─ norm of each head ─┐
 *                       ├ key ─── norm of each head ─┼ attention ─ out_proj ──►
 *                       └ value ─────────────────────┘
 * ```
 */
function selfAttention(module: Module, x: Value, { text, layer: { heads, keyValueHeads } }: LayerPlan, attend: AttendHere): Value {
  const widths = [heads, keyValueHeads, keyValueHeads].map((count) => count * text.head_dim)
  const joined = linear(module.child('qkv_proj'), x, widths.reduce((sum, width) => sum + width), { bias: false })
  const [query, key, value] = splitLast(module.graph, joined, widths)
  if (query === undefined || key === undefined || value === undefined) throw new Error('unreachable')
  const norm = (name: string, projected: Value, count: number): Value =>
    text.normalize_qk_projections ? rmsNormHeads(module.child(name), projected, count, EPSILON) : projected
  const attended = attend(module, { query: norm('q_norm', query, heads), key: norm('k_norm', key, keyValueHeads), value })
  return linear(module.child('out_proj'), attended, text.model_dim, { bias: false })
}

/** `proj_2(activation(a) * b)`, where `proj_1` gives a and b side by side; without a gate `proj_2(activation(proj_1(x)))`. */
function feedForward(module: Module, x: Value, { text, layer: { inner } }: LayerPlan): Value {
  const { graph } = module
  const activate = activation(text.activation_fn_name)
  const expanded = linear(module.child('proj_1'), x, text.ffn_with_glu ? 2 * inner : inner, { bias: false })
  const [gate = expanded, up] = text.ffn_with_glu ? splitLast(graph, expanded, [inner, inner]) : []
  const activated = activate(graph, gate)
  return linear(module.child('proj_2'), up === undefined ? activated : multiply(graph, activated, up), text.model_dim, { bias: false })
}
