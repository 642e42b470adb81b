/**
 * The operators our graphs use, each with its result's type and shape.
 *
 * One function an operator; standard ONNX (opset 21) unless the name says otherwise. Functions that
 * make more than one node live in `blocks/`.
 */
import { narrowToFloat16 } from '../float16.js'
import { type GraphBuilder, MICROSOFT, float } from './builder.js'
import type { DataType, Dimension, Value } from './value.js'

/** A tensor of whole numbers, int64 `[values]`; a number alone makes a scalar. */
export function int64(graph: GraphBuilder, values: readonly number[] | number): Value {
  const list = typeof values === 'number' ? [values] : values
  const data = BigInt64Array.from(list, BigInt)
  return graph.constant('int64', typeof values === 'number' ? [] : [list.length], new Uint8Array(data.buffer))
}

/** A tensor of float32 of the given shape; a number alone makes a scalar. */
export function float32(graph: GraphBuilder, values: ArrayLike<number> | number, shape?: readonly number[]): Value {
  const data = typeof values === 'number' ? Float32Array.of(values) : Float32Array.from(values)
  return graph.constant('float32', shape ?? (typeof values === 'number' ? [] : [data.length]), new Uint8Array(data.buffer))
}

/** A scalar of the type of `x`, which is float32 or float16. */
export function scalarLike(graph: GraphBuilder, x: Value, value: number): Value {
  if (x.dataType === 'float32') return float32(graph, value)
  const bits = new Uint16Array(1)
  narrowToFloat16(Float32Array.of(value), bits)
  return graph.constant('float16', [], new Uint8Array(bits.buffer))
}

/** Shape of an elementwise result, as numpy broadcasts. */
function broadcast(a: Value, b: Value): readonly Dimension[] {
  const rank = Math.max(a.shape.length, b.shape.length)
  const at = ({ shape }: Value, axis: number): Dimension => shape[axis - rank + shape.length] ?? 1
  return Array.from({ length: rank }, (_, axis) => (at(a, axis) === 1 ? at(b, axis) : at(a, axis)))
}

type Elementwise = (graph: GraphBuilder, a: Value, b: Value) => Value

const elementwise =
  (operator: string, result?: DataType): Elementwise =>
  (graph, a, b) =>
    graph.node(operator, [a, b], { dataType: result ?? a.dataType, shape: broadcast(a, b) })

export const add = elementwise('Add')
export const subtract = elementwise('Sub')
export const multiply = elementwise('Mul')
/** Of whole numbers: rounds towards zero. */
export const divide = elementwise('Div')
export const modulo = elementwise('Mod')
export const minimum = elementwise('Min')
export const maximum = elementwise('Max')
export const isLess = elementwise('Less', 'bool')
export const isLessOrEqual = elementwise('LessOrEqual', 'bool')
export const and = elementwise('And', 'bool')

type Unary = (graph: GraphBuilder, x: Value) => Value

const unary =
  (operator: string): Unary =>
  (graph, x) =>
    graph.node(operator, [x], x)

export const sine = unary('Sin')
export const cosine = unary('Cos')

/** GELU with the error function. */
export const geluExact: Unary = (graph, x) => graph.node('Gelu', [x], x)

/** GELU by its tanh approximation: `gelu_pytorch_tanh`, `gelu_new`. */
export const geluTanh: Unary = (graph, x) => graph.node('Gelu', [x], x, { attributes: { approximate: 'tanh' } })

/** `x * sigmoid(alpha * x)`, fused by ONNX Runtime. */
const sigmoidGated = (alpha: number): Unary => (graph, x) =>
  graph.node('QuickGelu', [x], x, { attributes: { alpha: float(alpha) }, domain: MICROSOFT })

/** `x * sigmoid(x)`. */
export const silu = sigmoidGated(1)

/** CLIP's approximation of GELU, `x * sigmoid(1.702 * x)`: `quick_gelu`. */
export const quickGelu = sigmoidGated(1.702)

/** Chooses from `a` where `condition`, else from `b`. */
export function where(graph: GraphBuilder, condition: Value, a: Value, b: Value): Value {
  const shape = broadcast({ ...condition, shape: broadcast(condition, a) }, b)
  return graph.node('Where', [condition, a, b], { dataType: a.dataType, shape })
}

const ONNX_TYPE_NUMBERS: Readonly<Record<DataType, number>> = { float32: 1, uint8: 2, int32: 6, int64: 7, bool: 9, float16: 10 }

/** Converts the element type, where it is another. */
export function cast(graph: GraphBuilder, x: Value, dataType: DataType): Value {
  if (x.dataType === dataType) return x
  return graph.node('Cast', [x], { dataType, shape: x.shape }, { attributes: { to: ONNX_TYPE_NUMBERS[dataType] } })
}

/** Sizes of `x` from axis `start` up to (not with) `end`, int64 `[end - start]`. */
export function shapeOf(graph: GraphBuilder, x: Value, start = 0, end = x.shape.length): Value {
  return graph.node('Shape', [x], { dataType: 'int64', shape: [end - start] }, { attributes: { start, end } })
}

/**
 * Gives `x` another shape.
 *
 * @param sizes int64 `[rank]`; 0 keeps a size, -1 takes what is left.
 * @param shape What is known of the result.
 */
export function reshape(graph: GraphBuilder, x: Value, sizes: Value | readonly number[], shape: readonly Dimension[]): Value {
  const target = 'name' in sizes ? sizes : int64(graph, sizes)
  return graph.node('Reshape', [x, target], { dataType: x.dataType, shape })
}

/** Reorders the axes. */
export function transpose(graph: GraphBuilder, x: Value, axes: readonly number[]): Value {
  const shape = axes.map((axis) => x.shape[axis] ?? 1)
  return graph.node('Transpose', [x], { dataType: x.dataType, shape }, { attributes: { perm: axes } })
}

/** Repeats `x` to a shape it can be broadcast to. */
export function expand(graph: GraphBuilder, x: Value, sizes: Value, shape: readonly Dimension[]): Value {
  return graph.node('Expand', [x, sizes], { dataType: x.dataType, shape })
}

/** Inserts axes of size 1. */
export function unsqueeze(graph: GraphBuilder, x: Value, axes: readonly number[]): Value {
  const shape = [...x.shape]
  for (const axis of axes) shape.splice(axis, 0, 1)
  return graph.node('Unsqueeze', [x, int64(graph, axes)], { dataType: x.dataType, shape })
}

/** Removes axes of size 1. */
export function squeeze(graph: GraphBuilder, x: Value, axes: readonly number[]): Value {
  const shape = x.shape.filter((_, axis) => !axes.includes(axis))
  return graph.node('Squeeze', [x, int64(graph, axes)], { dataType: x.dataType, shape })
}

/** Joins along an axis; `size` is the joined size, where it is known. */
export function concat(graph: GraphBuilder, parts: readonly Value[], axis: number, size: Dimension): Value {
  const [first] = parts
  if (first === undefined) throw new Error('Nothing to concatenate.')
  const shape = first.shape.map((old, index) => (index === axis ? size : old))
  return graph.node('Concat', parts, { dataType: first.dataType, shape }, { attributes: { axis } })
}

/** Cuts `x` along its last axis into pieces of the given sizes. */
export function splitLast(graph: GraphBuilder, x: Value, sizes: readonly number[]): readonly Value[] {
  const types = sizes.map((size) => ({ dataType: x.dataType, shape: [...x.shape.slice(0, -1), size] }))
  const pieces = graph.nodes('Split', [x, int64(graph, sizes)], types, { attributes: { axis: x.shape.length - 1 } })
  return pieces.filter((piece) => piece !== undefined)
}

/**
 * Takes `x[start:end]` along one axis.
 *
 * @param start int64 `[1]`; negative counts from the end.
 * @param end int64 `[1]`.
 */
export function slice(graph: GraphBuilder, x: Value, start: Value, end: Value, axis: number, size: Dimension): Value {
  const shape = x.shape.map((old, index) => (index === axis ? size : old))
  return graph.node('Slice', [x, start, end, int64(graph, [axis])], { dataType: x.dataType, shape })
}

/**
 * Adds zeros around `x`, or cuts off where `pads` is negative.
 *
 * @param pads int64: values before each of the axes, then values after each of them.
 * @param shape The result's.
 */
export function pad(
  graph: GraphBuilder,
  x: Value,
  pads: Value,
  { axes, shape }: { readonly axes: readonly number[]; readonly shape: readonly Dimension[] },
): Value {
  return graph.node('Pad', [x, pads, undefined, int64(graph, axes)], { dataType: x.dataType, shape })
}

/** Takes rows of `table` along axis 0; the result's shape is the indices' followed by a row's. */
export function gather(graph: GraphBuilder, table: Value, indices: Value): Value {
  const shape = [...indices.shape, ...table.shape.slice(1)]
  return graph.node('Gather', [table, indices], { dataType: table.dataType, shape }, { attributes: { axis: 0 } })
}

/** `0, 1, …, count - 1`, int64. `count` is an int64 scalar. */
export function range(graph: GraphBuilder, count: Value, size: Dimension): Value {
  return graph.node('Range', [int64(graph, 0), count, int64(graph, 1)], { dataType: 'int64', shape: [size] })
}

/** Batched matrix product. */
export function matmul(graph: GraphBuilder, a: Value, b: Value): Value {
  const shape = [...a.shape.slice(0, -1), b.shape.at(-1) ?? 1]
  return graph.node('MatMul', [a, b], { dataType: a.dataType, shape })
}

/** `a · bᵀ * scale`, batched, without moving `b` (ONNX Runtime's `FusedMatMul`). */
export function matmulTransposed(graph: GraphBuilder, a: Value, b: Value, scale: number): Value {
  const shape = [...a.shape.slice(0, -1), b.shape.at(-2) ?? 1]
  const attributes = { transB: 1, alpha: float(scale) }
  return graph.node('FusedMatMul', [a, b], { dataType: a.dataType, shape }, { attributes, domain: MICROSOFT })
}

/** Softmax over the last axis. */
export const softmax: Unary = (graph, x) => graph.node('Softmax', [x], x, { attributes: { axis: -1 } })

type Reduction = (graph: GraphBuilder, x: Value, axes: readonly number[]) => Value

const reduction =
  (operator: string): Reduction =>
  (graph, x, axes) => {
    const shape = x.shape.filter((_, axis) => !axes.includes(axis))
    return graph.node(operator, [x, int64(graph, axes)], { dataType: x.dataType, shape }, { attributes: { keepdims: 0 } })
  }

/** Sum over the given axes, which are dropped. */
export const reduceSum = reduction('ReduceSum')

/** Largest value over the given axes, which are dropped. */
export const reduceMax = reduction('ReduceMax')

/** Smallest value over the given axes, which are dropped. */
export const reduceMin = reduction('ReduceMin')
