import { type LinearOptions, linear } from '../../graph/blocks/linear.js'
import type { Module } from '../../graph/module.js'
import { add, multiply } from '../../graph/ops.js'
import type { Value } from '../../graph/value.js'
import { activation } from '../activations.js'
import { type AttendHere, type DecoderOnlyConfig, type Projections, headSizeOf, headsOf } from './decoder-only.js'

/** What Llama's kin say of a layer. */
export interface GatedLayerConfig extends DecoderOnlyConfig {
  readonly intermediate_size: number
  /** The gate's activation. */
  readonly hidden_act: string
}

/** What a relative of Llama does in its own way. */
export interface GatedLayerStyle {
  readonly config: GatedLayerConfig
  /** The norm before attention and MLP. */
  readonly norm: (module: Module, x: Value) => Value
  /** Which of attention's layers have biases. */
  readonly biases: { readonly projections: boolean; readonly output: boolean }
}

/**
 * A layer as Llama and its kin have it (Touvron et al. 2023), on `[rows, width]`.
 *
 * ```
 * hidden ─┬─ norm ─ q, k, v ─ attention ─ o ─ + ─┬─ norm ─ gated MLP ─ + ──►
 *         └───────────────────────────────────┘ └────────────────────┘
 * ```
 */
export function gatedLayer(module: Module, hidden: Value, { config, norm, biases }: GatedLayerStyle, attend: AttendHere): Value {
  const { graph } = module
  const self = module.child('self_attn')
  const projections = projectHeads(self, norm(module.child('input_layernorm'), hidden), config, { bias: biases.projections })
  const output = linear(self.child('o_proj'), attend(self, projections), config.hidden_size, { bias: biases.output })
  const middle = add(graph, output, hidden)
  const second = norm(module.child('post_attention_layernorm'), middle)
  return add(graph, gatedMlp(module.child('mlp'), second, config), middle)
}

/** `q_proj`, `k_proj` and `v_proj` of `[rows, width]`. @param self At `self_attn`. */
export function projectHeads(self: Module, x: Value, config: DecoderOnlyConfig, options?: LinearOptions): Projections {
  const { heads, keyValueHeads } = headsOf(config)
  const project = (name: string, count: number): Value => linear(self.child(name), x, count * headSizeOf(config), options)
  return { query: project('q_proj', heads), key: project('k_proj', keyValueHeads), value: project('v_proj', keyValueHeads) }
}

/** `down(activation(gate(x)) * up(x))` without biases (Shazeer 2020), on `[rows, width]`. */
export function gatedMlp(module: Module, x: Value, { intermediate_size: inner, hidden_size: width, hidden_act }: GatedLayerConfig): Value {
  const gate = linear(module.child('gate_proj'), x, inner, { bias: false })
  const up = linear(module.child('up_proj'), x, inner, { bias: false })
  const gated = multiply(module.graph, activation(hidden_act)(module.graph, gate), up)
  return linear(module.child('down_proj'), gated, width, { bias: false })
}
