import { attention } from './attention.js'
import { linear } from './linear.js'
import { layerNorm } from './norm.js'
import type { Module } from '../module.js'
import { add, concat, geluExact, reshape, splitLast } from '../ops.js'
import type { Dimension, Value } from '../value.js'

// Fixed in the reference's resamplers.
const HEADS = 8
const HEAD_SIZE = 64
const FEED_FORWARD_FACTOR = 4
const EPSILON = 1e-5

/** Inputs of a stack of perceiver layers. */
export interface PerceiverInputs {
  /** `[parts, length, width]`: what is looked at. */
  readonly media: Value
  /** `[parts, queries, width]`: what looks. */
  readonly latents: Value
  /** Added to the attention's scores where media are padding, `[parts, 1, queries, length + queries]`. */
  readonly bias?: Value
}

/**
 * Condenses media into latents by `layers` layers of cross attention and feed-forward, then a norm
 * (Perceiver resampler, Alayrac et al. 2022; reference: `model/connector/groupresampler.py`).
 *
 * ```
 * media ─ norm_media ─┬─ concat ─ to_kv ─ k, v ─┐
 * latents ─ norm_latents ─┴───────── to_q ──────┴ attention ─ to_out ─ + latents ─┬─ ff ─ + ─► …
 * ```
 *
 * @returns `[parts, queries, width]`.
 */
export function perceiver(module: Module, inputs: PerceiverInputs, layers: number): Value {
  let { latents } = inputs
  for (let index = 0; index < layers; index += 1) {
    const layer = module.child(`layers.${index}`)
    latents = add(module.graph, perceiverAttention(layer.child('0'), { ...inputs, latents }), latents)
    latents = add(module.graph, feedForward(layer.child('1'), latents), latents)
  }
  return layerNorm(module.child('norm'), latents, EPSILON)
}

function perceiverAttention(module: Module, { media, latents, bias }: PerceiverInputs): Value {
  const { graph } = module
  const inner = HEADS * HEAD_SIZE
  const normedMedia = layerNorm(module.child('norm_media'), media, EPSILON)
  const normedLatents = layerNorm(module.child('norm_latents'), latents, EPSILON)
  const context = concat(graph, [normedMedia, normedLatents], 1, 'context')
  const query = onRows(module.child('to_q'), normedLatents, inner)
  const [key, value] = splitLast(graph, onRows(module.child('to_kv'), context, inner * 2), [inner, inner])
  if (key === undefined || value === undefined) throw new Error('unreachable')
  const inputs = { query, key, value, heads: HEADS, watch: module.watch, ...(bias && { bias }) }
  const attended = attention(graph, inputs, module.attention)
  return onRows(module.child('to_out'), attended, Number(latents.shape[2]))
}

function feedForward(module: Module, latents: Value): Value {
  const width = Number(latents.shape[2])
  const hidden = onRows(module.child('1'), layerNorm(module.child('0'), latents, EPSILON), width * FEED_FORWARD_FACTOR)
  return onRows(module.child('3'), geluExact(module.graph, hidden), width)
}

/** A linear layer without bias on `[parts, length, width]`. */
function onRows(module: Module, x: Value, features: number): Value {
  const { graph } = module
  const [parts = 'parts', length = 'length', width] = x.shape
  const rows = reshape(graph, x, [-1, Number(width)], ['rows', Number(width)])
  const shape: Dimension[] = [parts, length, features]
  // The number of parts is always known, so that the length is what is left.
  return reshape(graph, linear(module, rows, features, { bias: false }), [Number(parts), -1, features], shape)
}
