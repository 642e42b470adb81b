import { attention } from '../../graph/blocks/attention.js'
import { linear } from '../../graph/blocks/linear.js'
import type { Module } from '../../graph/module.js'
import { reshape } from '../../graph/ops.js'
import type { Value } from '../../graph/value.js'

/** Tokens of a picture, and the heads that look at them. */
export interface TokenGeometry {
  readonly width: number
  readonly heads: number
  /** Of one picture, class token included. */
  readonly tokens: number
}

/** The linear layers of an attention. */
export interface AttentionModules {
  readonly query: Module
  readonly key: Module
  readonly value: Module
  readonly out: Module
  /** Whether query, key and value have biases. @default true */
  readonly bias?: boolean
}

/**
 * Each picture's tokens look at all tokens of the picture.
 *
 * @param module Names the nodes.
 * @param x `[pictures * tokens, width]`, as the result.
 */
export function visionAttention(module: Module, x: Value, modules: AttentionModules, { width, heads, tokens }: TokenGeometry): Value {
  const { graph } = module
  const { bias = true } = modules
  const project = (layer: Module): Value =>
    reshape(graph, linear(layer, x, width, { bias }), [-1, tokens, width], ['frames', tokens, width])
  const inputs = { query: project(modules.query), key: project(modules.key), value: project(modules.value), heads }
  const attended = attention(graph, inputs, module.attention)
  return linear(modules.out, reshape(graph, attended, [-1, width], ['rows', width]), width)
}
