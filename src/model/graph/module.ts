import { type Computation, computedTensor } from '../checkpoint/computed-tensor.js'
import { type RawListener, tensorWeight } from '../checkpoint/source.js'
import type { Weights } from '../checkpoint/weights.js'
import type { PartPrecision } from '../precision.js'
import type { Bits } from '../quantise/block-format.js'
import type { QuantisePool } from '../quantise/pool.js'
import { quantisedWeight } from '../quantise/quantised-weight.js'
import { transposedWeight } from '../quantise/transposed-weight.js'
import type { GraphBuilder } from './builder.js'
import type { Value } from './value.js'

/** How attention is lowered to operators. */
export type AttentionLowering =
  /** ONNX Runtime's fused `MultiHeadAttention` and `GroupQueryAttention`. */
  | 'fused'
  /** Plain `MatMul` and `Softmax`: for devices whose fused kernels can't be trusted (software GPUs). */
  | 'primitive'

/** Is handed an attention's weights, `[batch, heads, sequence, memory]`, of which each row sums to 1. */
export type AttentionWatch = (weights: Value) => void

/** What all modules of a part share. */
export interface ModuleContext {
  readonly attention: AttentionLowering
  readonly precision: PartPrecision
  /** Sees where connectors look at tokens; their attention is then lowered to plain operators. @default nobody looks */
  readonly watch?: AttentionWatch | undefined
  /** Quantises weights while the graph is written. */
  readonly pool: QuantisePool
  /** For the digest of what was read. */
  readonly onRaw?: RawListener | undefined
}

/** A matrix `[rows, columns]` as ONNX Runtime's operators take it when it is quantised. */
export interface QuantisedMatrix {
  readonly packed: Value
  readonly scales: Value
}

/** How a matrix is quantised in blocks. */
export interface QuantisedOptions {
  readonly bits: Bits
  /** `blocks`: `packed` is `[rows, blocks, bytes of a block]`; `rows`: the same bytes as `[rows, bytes of a row]`. */
  readonly layout: 'blocks' | 'rows'
}

/**
 * A module of the original model while its graph is built: nodes and weights below one name.
 *
 * `module.child('q_proj')` puts nodes below `…/q_proj` and takes weights below `….q_proj.`, so a part
 * reads like the original's class.
 */
export class Module {
  readonly graph: GraphBuilder
  readonly #weights: Weights
  readonly #context: ModuleContext

  constructor(graph: GraphBuilder, weights: Weights, context: ModuleContext) {
    this.graph = graph
    this.#weights = weights
    this.#context = context
  }

  get attention(): AttentionLowering {
    return this.#context.attention
  }

  get watch(): AttentionWatch | undefined {
    return this.#context.watch
  }

  get precision(): PartPrecision {
    return this.#context.precision
  }

  /** The module `name` inside this one; dots go several levels down. */
  child(name: string): Module {
    return new Module(this.graph.scope(name), this.#weights.scope(name), this.#context)
  }

  /**
   * A weight of this module, of the activations' type. One that is missing is noted and reported before
   * anything is written.
   */
  parameter(name: string, shape: readonly number[]): Value {
    return this.graph.weight(tensorWeight(this.#weights.take(name, shape), this.precision.activations, this.#context.onRaw))
  }

  /** Shape of a weight as the checkpoint has it; undefined: there is none of this name. */
  shapeOf(name: string): readonly number[] | undefined {
    return this.#weights.shapeOf(name)
  }

  /** A weight that is computed from one of this module while the graph is written, of the activations' type. */
  computed(name: string, shape: readonly number[], computation: Computation): Value {
    const tensor = computedTensor(this.#weights.take(name, shape), computation, this.#context.onRaw)
    return this.graph.weight(tensorWeight(tensor, this.precision.activations))
  }

  /** A matrix of this module, quantised in blocks along its rows. */
  quantised(name: string, shape: readonly [number, number], { bits, layout }: QuantisedOptions): QuantisedMatrix {
    const { activations: scaleType, blockSize } = this.precision
    if (blockSize === undefined) throw new Error(`${name} is to be quantised without a block size.`)
    const { pool, onRaw } = this.#context
    const { packed, scales } = quantisedWeight(this.#weights.take(name, shape), { format: { bits, blockSize, scaleType }, pool, onRaw })
    const laidOut = layout === 'blocks' ? packed : { ...packed, shape: [shape[0], packed.bytes / shape[0]] }
    return { packed: this.graph.weight(laidOut), scales: this.graph.weight(scales) }
  }

  /** A matrix of this module, each row quantised to 8 bits, then transposed: `packed` is uint8 `[columns, rows]`. */
  transposed(name: string, shape: readonly [number, number]): QuantisedMatrix {
    const { packed, scales } = transposedWeight(this.#weights.take(name, shape), this.#context)
    return { packed: this.graph.weight(packed), scales: this.graph.weight(scales) }
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
