import { linear } from '../../graph/blocks/linear.js'
import { layerNorm } from '../../graph/blocks/norm.js'
import type { Module } from '../../graph/module.js'
import { add, multiply, reshape, silu, splitLast } from '../../graph/ops.js'
import type { Value } from '../../graph/value.js'
import { activation } from '../activations.js'
import { layersUpTo } from './feature-layer.js'
import { interpolatePositions } from './interpolate-positions.js'
import { embedPatches, patchesAcross, withClassToken } from './patches.js'
import { type TokenGeometry, visionAttention } from './vision-attention.js'

/** Sizes of a DINOv2. */
export interface Dinov2Geometry {
  readonly width: number
  readonly heads: number
  readonly layers: number
  /** Side of a patch, in pixels. */
  readonly patch: number
  /** Learned positions along each side; those of pictures of another size are interpolated. */
  readonly positions: number
  /** Width inside a feed-forward. */
  readonly inner: number
  /** Activation of a plain feed-forward, or `swiglu`. */
  readonly feedForward: string
  /** Whether query, key and value have biases. */
  readonly bias: boolean
  readonly epsilon: number
}

/** Tokens of a picture, class token included. */
export const dinov2Tokens = ({ patch }: Pick<Dinov2Geometry, 'patch'>, imageSize: number): number => patchesAcross(imageSize, patch) ** 2 + 1

/**
 * Builds a DINOv2 (Oquab et al. 2023; transformers 4.40.1's `Dinov2Model`) up to a layer. Hidden states are not normed.
 *
 * ```
 * pixels ─ patches ─ class token in front ─ + positions ─ layers ──► [frames, tokens, width]
 * ```
 *
 * @param module At the `Dinov2Model`.
 * @param pixels `[frames, 3, side, side]`.
 * @param featureLayer `vision_feature_layer`.
 */
export function buildDinov2(module: Module, pixels: Value, geometry: Dinov2Geometry, featureLayer: number): Value {
  const { width, heads } = geometry
  const tokens = dinov2Tokens(geometry, Number(pixels.shape[2]))
  const layers = Array.from({ length: geometry.layers }, (_, index) => module.child(`encoder.layer.${index}`))
  const used = layersUpTo(featureLayer, layers.length)
  // Never looked at: the final norm, what stands for a patch that is hidden in training, the layers past the feature layer.
  module.ignore(/^layernorm\.|^embeddings\.mask_token$/)
  for (const layer of layers.slice(used)) layer.ignore(/^/)
  const embedded = embed(module.child('embeddings'), pixels, geometry)
  const hidden = layers.slice(0, used).reduce((x, layer) => dinov2Layer(layer, x, geometry, { width, heads, tokens }), embedded)
  return reshape(module.graph, hidden, [-1, tokens, width], ['frames', tokens, width])
}

/** Class token and patches, each with its position: `[frames * tokens, width]`. */
function embed(module: Module, pixels: Value, { width, patch, positions }: Dinov2Geometry): Value {
  const patches = embedPatches(module.child('patch_embeddings.projection'), pixels, { patch, width, bias: true })
  const tokens = withClassToken(module, module.parameter('cls_token', [1, 1, width]), patches)
  const wanted = patchesAcross(Number(pixels.shape[2]), patch)
  const placed = add(module.graph, tokens, positionTable(module, { from: positions, to: wanted, width }))
  return reshape(module.graph, placed, [-1, width], ['rows', width])
}

/** `[1, 1 + to * to, width]`. */
function positionTable(module: Module, grid: { readonly from: number; readonly to: number; readonly width: number }): Value {
  const { from, to, width } = grid
  const learned = [1, 1 + from * from, width]
  if (from === to) return module.parameter('position_embeddings', learned)
  const compute = (table: Float32Array): Float32Array => interpolatePositions(table, grid)
  return module.computed('position_embeddings', learned, { suffix: `${to}x${to}`, shape: [1, 1 + to * to, width], compute })
}

/** norm → attention → scale → + → norm → feed-forward → scale → +. */
function dinov2Layer(module: Module, hidden: Value, geometry: Dinov2Geometry, tokens: TokenGeometry): Value {
  const { graph } = module
  const { epsilon, width } = geometry
  const scaled = (name: string, x: Value): Value => multiply(graph, x, module.child(name).parameter('lambda1', [width]))
  const attended = selfAttention(module.child('attention'), layerNorm(module.child('norm1'), hidden, epsilon), geometry, tokens)
  const middle = add(graph, scaled('layer_scale1', attended), hidden)
  const fed = feedForward(module.child('mlp'), layerNorm(module.child('norm2'), middle, epsilon), geometry)
  return add(graph, scaled('layer_scale2', fed), middle)
}

function selfAttention(module: Module, x: Value, { bias }: Dinov2Geometry, tokens: TokenGeometry): Value {
  const inner = module.child('attention')
  const modules = {
    query: inner.child('query'), key: inner.child('key'), value: inner.child('value'), out: module.child('output.dense'), bias,
  }
  return visionAttention(inner, x, modules, tokens)
}

/**
 * ```
 * plain   x ─ fc1 ─ activation ─ fc2 ──► out
 * swiglu  x ─ weights_in ─ split ─┬ silu ─┬ · ─ weights_out ──► out        (Shazeer 2020)
 *                                 └───────┘
 * ```
 */
function feedForward(module: Module, x: Value, geometry: Dinov2Geometry): Value {
  const { graph } = module
  const { width, inner } = geometry
  if (geometry.feedForward !== 'swiglu') {
    const activated = activation(geometry.feedForward)(graph, linear(module.child('fc1'), x, inner))
    return linear(module.child('fc2'), activated, width)
  }
  const [gate, value] = splitLast(graph, linear(module.child('weights_in'), x, 2 * inner), [inner, inner])
  if (gate === undefined || value === undefined) throw new Error('unreachable')
  return linear(module.child('weights_out'), multiply(graph, silu(graph, gate), value), width)
}
