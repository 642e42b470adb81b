import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { InferenceSession, type Tensor } from 'onnxruntime-node'

import type { GraphBuilder } from '../../src/model/graph/builder.js'
import { writeGraph } from '../../src/model/graph/write.js'

/** A graph with its inputs, to be run again and again. */
export interface ReadyGraph {
  run(): Promise<unknown>
  close(): Promise<void>
}

/** Opens a graph file. Idle threads sleep, so that another session's runs aren't slowed down. */
export async function openGraph(path: string, feeds: Readonly<Record<string, Tensor>>, threads: number): Promise<ReadyGraph> {
  const session = await InferenceSession.create(path, {
    intraOpNumThreads: threads,
    logSeverityLevel: 4,
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  })
  return { run: () => session.run(feeds), close: () => session.release() }
}

/** Writes a graph to a folder of its own, and opens it. */
export async function openBuiltGraph(graph: GraphBuilder, feeds: Readonly<Record<string, Tensor>>, threads: number): Promise<ReadyGraph> {
  const folder = await mkdtemp(join(tmpdir(), 'tinyllava-bench-'))
  try {
    await writeGraph(graph.content, join(folder, 'graph.onnx'), { locations: new Map() })
    return await openGraph(join(folder, 'graph.onnx'), feeds, threads)
  } finally {
    await rm(folder, { recursive: true })
  }
}
