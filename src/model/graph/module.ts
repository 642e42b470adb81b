import { type RawListener, tensorWeight } from '../checkpoint/source.js'
import type { Weights } from '../checkpoint/weights.js'
import type { GraphBuilder } from './builder.js'
import type { Value } from './value.js'

/** How attention is lowered to operators. */
export type AttentionLowering =
  /** ONNX Runtime's fused `MultiHeadAttention` and `GroupQueryAttention`. */
  | 'fused'
  /** Plain `MatMul` and `Softmax`: for devices whose fused kernels can't be trusted (software GPUs). */
  | 'primitive'

/**
 * A module of the original model while its graph is built: nodes and weights below one name.
 *
 * `module.child('q_proj')` puts nodes below `…/q_proj` and takes weights below `….q_proj.`, so a part
 * reads like the original's class.
 */
export class Module {
  readonly graph: GraphBuilder
  readonly attention: AttentionLowering
  readonly #weights: Weights
  readonly #onRaw: RawListener | undefined

  constructor(graph: GraphBuilder, weights: Weights, attention: AttentionLowering, onRaw?: RawListener) {
    this.graph = graph
    this.attention = attention
    this.#weights = weights
    this.#onRaw = onRaw
  }

  /** The module `name` inside this one; dots go several levels down. */
  child(name: string): Module {
    return new Module(this.graph.scope(name), this.#weights.scope(name), this.attention, this.#onRaw)
  }

  /** A weight of this module, float32. One that is missing is noted and reported before anything is written. */
  parameter(name: string, shape: readonly number[]): Value {
    return this.graph.weight(tensorWeight(this.#weights.take(name, shape), this.#onRaw))
  }

  /** Declares that weights of this module whose name matches are known and not needed. */
  ignore(pattern: RegExp): void {
    this.#weights.ignore(pattern)
  }
}

/** The size of the last axis, which blocks need to know. */
export function widthOf(value: Value): number {
  const width = value.shape.at(-1)
  if (typeof width === 'number') return width
  throw new Error(`The width of ${value.name} is not known.`)
}
