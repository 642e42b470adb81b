import { create } from '@bufbuild/protobuf'
import {
  type AttributeProto,
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  type NodeProto,
  NodeProtoSchema,
} from 'onnx-buf'

import type { DataType, Dimension, Value, WeightData } from './value.js'

/** Value of a node's attribute. Numbers must say whether they are whole or not: see `float`. */
export type Attribute = number | string | readonly number[] | { readonly float: number }

/** A small tensor kept inside the graph. */
export interface Constant extends Value {
  readonly shape: readonly number[]
  readonly data: Uint8Array<ArrayBuffer>
}

/** A large tensor kept in the data file. */
export interface Weight extends Value {
  readonly shape: readonly number[]
  readonly data: WeightData
}

/** Everything a graph is made of, in the order it was added. */
export interface GraphContent {
  readonly name: string
  readonly inputs: Value[]
  readonly outputs: Value[]
  readonly nodes: NodeProto[]
  readonly constants: Map<string, Constant>
  readonly weights: Map<string, Weight>
}

/** Marks an attribute as a float even where its value is whole. */
export const float = (value: number): Attribute => ({ float: value })

/** Domain of ONNX Runtime's own operators. */
export const MICROSOFT = 'com.microsoft'

/** What a node is, beside its inputs. */
export interface NodeOptions {
  readonly attributes?: Readonly<Record<string, Attribute | undefined>>
  readonly domain?: string
}

/** Type and shape of a node's output; `undefined` where an optional output is not wanted. */
export type OutputType = { readonly dataType: DataType; readonly shape: readonly Dimension[] } | undefined

/**
 * Collects the inputs, nodes and weights of one ONNX graph.
 *
 * A builder is a cursor into the graph: `scope('layers.0')` returns another one whose nodes are named
 * below `/layers.0`. Constants are shared by value, weights by key.
 */
export class GraphBuilder {
  readonly content: GraphContent
  readonly #path: string
  readonly #used: Map<string, number>

  private constructor(content: GraphContent, path: string, used: Map<string, number>) {
    this.content = content
    this.#path = path
    this.#used = used
  }

  /** An empty graph. */
  static empty(name: string): GraphBuilder {
    const content = { name, inputs: [], outputs: [], nodes: [], constants: new Map(), weights: new Map() }
    return new GraphBuilder(content, '', new Map())
  }

  /** A cursor whose nodes are named below `name`. */
  scope(name: string): GraphBuilder {
    return new GraphBuilder(this.content, `${this.#path}/${name}`, this.#used)
  }

  /** Declares an input of the graph. */
  input(name: string, dataType: DataType, shape: readonly Dimension[]): Value {
    const value = { name, dataType, shape }
    this.content.inputs.push(value)
    return value
  }

  /** Declares `value` as the graph's output `name`. */
  output(name: string, value: Value): void {
    this.#push('Identity', [value], [name], {})
    this.content.outputs.push({ ...value, name })
  }

  /** Adds a node with one output. */
  node(operator: string, inputs: readonly (Value | undefined)[], type: NonNullable<OutputType>, options: NodeOptions = {}): Value {
    const [output] = this.nodes(operator, inputs, [type], options)
    if (output === undefined) throw new Error(`${operator} has no output.`)
    return output
  }

  /** Adds a node with several outputs; an `undefined` type leaves that output out. */
  nodes(
    operator: string,
    inputs: readonly (Value | undefined)[],
    types: readonly OutputType[],
    options: NodeOptions = {},
  ): readonly (Value | undefined)[] {
    const address = this.#address(operator)
    const nameOf = (index: number): string => (index === 0 ? address : `${address}:${index}`)
    // Picked by hand: a type is often another `Value`, whose name must not come along.
    const outputs = types.map((type, index) => type && { name: nameOf(index), dataType: type.dataType, shape: type.shape })
    this.#push(operator, inputs, outputs.map((output) => output?.name ?? ''), options, address)
    return outputs
  }

  /** A small constant, shared with every other of the same type, shape and bytes. */
  constant(dataType: DataType, shape: readonly number[], data: Uint8Array): Value {
    const key = `${dataType}[${shape.join()}]${Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64')}`
    const known = this.content.constants.get(key)
    if (known !== undefined) return known
    const constant = { name: `constant.${this.content.constants.size}`, dataType, shape, data: new Uint8Array(data) }
    this.content.constants.set(key, constant)
    return constant
  }

  /** Weights from the data file, shared with every other of the same key. */
  weight(data: WeightData): Value {
    const known = this.content.weights.get(data.key)
    if (known !== undefined) {
      if (known.shape.join() !== data.shape.join()) throw new Error(`${data.key} is wanted in two shapes.`)
      return known
    }
    const weight = { name: data.key, dataType: data.dataType, shape: data.shape, data }
    this.content.weights.set(data.key, weight)
    return weight
  }

  #address(operator: string): string {
    const base = `${this.#path}/${operator}`
    const count = this.#used.get(base) ?? 0
    this.#used.set(base, count + 1)
    return count === 0 ? base : `${base}_${count}`
  }

  #push(
    operator: string,
    inputs: readonly (Value | undefined)[],
    outputs: string[],
    { attributes = {}, domain = '' }: NodeOptions,
    name = this.#address(operator),
  ): void {
    const attribute = Object.entries(attributes).flatMap(([key, value]) => (value === undefined ? [] : attributeProto(key, value)))
    const input = inputs.map((value) => value?.name ?? '')
    this.content.nodes.push(create(NodeProtoSchema, { opType: operator, domain, name, input, output: outputs, attribute }))
  }
}

function attributeProto(name: string, value: Attribute): AttributeProto {
  if (typeof value === 'number') return create(AttributeProtoSchema, { name, type: AttributeType.INT, i: BigInt(value) })
  if (typeof value === 'string') {
    return create(AttributeProtoSchema, { name, type: AttributeType.STRING, s: new TextEncoder().encode(value) })
  }
  if ('float' in value) return create(AttributeProtoSchema, { name, type: AttributeType.FLOAT, f: value.float })
  return create(AttributeProtoSchema, { name, type: AttributeType.INTS, ints: value.map(BigInt) })
}
