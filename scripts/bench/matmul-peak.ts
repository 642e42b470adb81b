import { GraphBuilder } from '../../src/model/graph/builder.js'
import { matmul } from '../../src/model/graph/ops.js'
import { Tensor } from 'onnxruntime-node'

import { type ReadyGraph, openBuiltGraph } from './ready-graph.js'

// In a row, so that threads stay awake and the result's way to JavaScript doesn't count.
const CHAIN = 8

/** Floating point operations of one run of `openMatmul`. */
export const matmulOperations = (size: number): number => CHAIN * 2 * size ** 3

/**
 * Square float32 matrix products by a weight: the most that any model can be compared with on this machine.
 *
 * @param size Side of the matrices.
 */
export async function openMatmul(size: number, threads: number): Promise<ReadyGraph> {
  const graph = GraphBuilder.empty('peak')
  // One side is a weight, as in a model: ONNX Runtime lays it out for its kernel once.
  const values = Float32Array.from({ length: size * size }, (_, index) => ((index % 17) - 8) / size)
  const weight = graph.weight({
    ...{ key: 'b', dataType: 'float32', shape: [size, size], bytes: values.byteLength },
    read: async function* () { yield await Promise.resolve(new Uint8Array(values.buffer)) },
  })
  let product = graph.input('a', 'float32', [size, size])
  for (let link = 0; link < CHAIN; link += 1) product = matmul(graph, product, weight)
  graph.output('product', product)
  return openBuiltGraph(graph, { a: new Tensor('float32', values, [size, size]) }, threads)
}
