import { Tensor } from 'onnxruntime-node'

import { GraphBuilder } from '../../src/model/graph/builder.js'
import { reduceSum } from '../../src/model/graph/ops.js'
import { type ReadyGraph, openBuiltGraph } from './ready-graph.js'

// Many rows, so that they are spread over the threads.
const ROWS = 2048

/**
 * Reads a buffer from its beginning to its end, on all threads: ONNX Runtime's sum of each row.
 *
 * On the machine of `docs/PERFORMANCE.md` a program in C with AVX2 loads reads no faster.
 *
 * @param bytes Much more than the caches hold.
 */
export async function openMemoryRead(bytes: number, threads: number): Promise<ReadyGraph> {
  const columns = Math.floor(bytes / 4 / ROWS)
  const graph = GraphBuilder.empty('read')
  graph.output('sums', reduceSum(graph, graph.input('values', 'float32', [ROWS, columns]), [1]))
  const values = new Float32Array(ROWS * columns).fill(1)
  return openBuiltGraph(graph, { values: new Tensor('float32', values, [ROWS, columns]) }, threads)
}
