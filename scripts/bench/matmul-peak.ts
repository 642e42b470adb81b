import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { InferenceSession, Tensor } from 'onnxruntime-node'

import { GraphBuilder } from '../../src/model/graph/builder.js'
import { matmul } from '../../src/model/graph/ops.js'
import { writeGraph } from '../../src/model/graph/write.js'
import { medianMs } from './measure.js'

// In a row, so that threads stay awake and the result's way to JavaScript doesn't count.
const CHAIN = 8

/**
 * The most float32 work a matrix product does here: what any model is up against.
 *
 * @param size Side of the square matrices.
 * @returns GFLOP a second.
 */
export async function matmulPeak(size: number, threads: number, repeats: number): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'tinyllava-bench-'))
  try {
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
    await writeGraph(graph.content, join(folder, 'peak.onnx'), { locations: new Map() })
    const session = await InferenceSession.create(join(folder, 'peak.onnx'), { intraOpNumThreads: threads })
    const matrix = new Tensor('float32', values, [size, size])
    const milliseconds = await medianMs(() => session.run({ a: matrix }), repeats)
    await session.release()
    return (CHAIN * 2 * size ** 3) / milliseconds / 1e6
  } finally {
    await rm(folder, { recursive: true })
  }
}
