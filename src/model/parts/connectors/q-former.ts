import { attention } from '../../graph/blocks/attention.js'
import { linear } from '../../graph/blocks/linear.js'
import { layerNorm, standardise } from '../../graph/blocks/norm.js'
import { type AttentionWatch, type Module, widthOf } from '../../graph/module.js'
import { add, geluExact, squeeze, unsqueeze } from '../../graph/ops.js'
import type { Value } from '../../graph/value.js'
import type { Connector } from '../part.js'
import { tokenRows } from './project-tokens.js'
import { requireField } from './resampler-config.js'

/** Sizes of the BERT inside a Q-Former: no checkpoint holds them. */
export interface QFormerGeometry {
  readonly width: number
  readonly intermediate: number
  readonly heads: number
  readonly layers: number
}

/** `google-bert/bert-base-uncased`, whose configuration the reference takes. */
const BERT_BASE: QFormerGeometry = { width: 768, intermediate: 3072, heads: 12, layers: 12 }

const EPSILON = 1e-12

// Every other layer looks at the picture, from the first on.
const CROSS_ATTENTION_EVERY = 2

/**
 * `qformer`: learned queries look at each other and at the tower's tokens through a BERT, and are then made as wide as
 * the language model (Li et al. 2023; reference: TinyLLaVA_Factory `model/connector/qformer.py`).
 *
 * ```
 * query_tokens ─ norm without weights ─ layers ─ projector ──► [num_queries, width]
 *
 * layer    queries ─ self attention ─ + ─ norm ─ (cross attention to features ─ + ─ norm) ─ feed-forward ─ + ─ norm ──►
 * ```
 *
 * The reference has one picture here. Of a clip, all frames' tokens are looked at as one sequence, as
 * TinyLLaVA-Video's resamplers do.
 */
export function createQFormer(geometry: QFormerGeometry): Connector {
  return {
    build(module, features, config, width) {
      const { graph } = module
      const former = module.child('_connector')
      const bert = former.child('bert')
      // A buffer that follows from the configuration.
      bert.ignore(/^embeddings\.position_ids$/)
      const queries = former.parameter('query_tokens', [1, requireField(config, 'num_queries'), geometry.width])
      const image = tokenRows(graph, features)
      let hidden = squeeze(graph, standardise(bert.graph.scope('embeddings/LayerNorm'), queries, EPSILON), [0])
      for (let index = 0; index < geometry.layers; index += 1) {
        const seen = index % CROSS_ATTENTION_EVERY === 0 ? image : undefined
        hidden = layer(bert.child(`encoder.layer.${index}`), hidden, seen, geometry)
      }
      return linear(former.child('projector'), hidden, width)
    },
  }
}

/** The Q-Former of BERT's base size: the only one the reference builds. */
export const qFormer = createQFormer(BERT_BASE)

/** One layer on `[queries, width]`; `image` is left out where it isn't looked at. */
function layer(module: Module, queries: Value, image: Value | undefined, geometry: QFormerGeometry): Value {
  const attended = attend(module.child('attention'), queries, queries, geometry)
  const seen = { ...geometry, watch: module.watch }
  const looked = image === undefined ? attended : attend(module.child('crossattention'), attended, image, seen)
  const expanded = linear(module.child('intermediate_query.dense'), looked, geometry.intermediate)
  return addAndNorm(module.child('output_query'), geluExact(module.graph, expanded), looked)
}

/** Sizes, and who sees where is looked. */
interface WatchedGeometry extends QFormerGeometry {
  readonly watch?: AttentionWatch | undefined
}

/** Multi-head attention of `queries` over `memory`, both `[rows, …]`, with its residual and norm: post-LN, as in BERT. */
function attend(module: Module, queries: Value, memory: Value, { width, heads, watch }: WatchedGeometry): Value {
  const { graph } = module
  const self = module.child('self')
  const project = (name: string, x: Value): Value => unsqueeze(graph, linear(self.child(name), x, width), [0])
  const inputs = { query: project('query', queries), key: project('key', memory), value: project('value', memory), heads, watch }
  const attended = squeeze(graph, attention(self.graph, inputs, module.attention), [0])
  return addAndNorm(module.child('output'), attended, queries)
}

function addAndNorm(module: Module, x: Value, residual: Value): Value {
  const projected = linear(module.child('dense'), x, widthOf(residual))
  return layerNorm(module.child('LayerNorm'), add(module.graph, projected, residual), EPSILON)
}
