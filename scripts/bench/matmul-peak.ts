import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { InferenceSession, Tensor } from 'onnxruntime-node'

import { GraphBuilder } from '../../src/model/graph/builder.js'
import { matmul } from '../../src/model/graph/ops.js'
import { writeGraph } from '../../src/model/graph/write.js'
import { medianMs } from './measure.js'

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
    graph.output('product', matmul(graph, graph.input('a', 'float32', [size, size]), graph.input('b', 'float32', [size, size])))
    await writeGraph(graph.content, join(folder, 'peak.onnx'), { locations: new Map() })
    const session = await InferenceSession.create(join(folder, 'peak.onnx'), { intraOpNumThreads: threads })
    const matrix = new Tensor('float32', Float32Array.from({ length: size * size }, (_, index) => (index % 17) / 17), [size, size])
    const milliseconds = await medianMs(() => session.run({ a: matrix, b: matrix }), repeats)
    await session.release()
    return (2 * size ** 3) / milliseconds / 1e6
  } finally {
    await rm(folder, { recursive: true })
  }
}
