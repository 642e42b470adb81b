import type { GraphBuilder } from '../../src/model/graph/builder.js'
import { writeGraph } from '../../src/model/graph/write.js'
import { type TemporaryFolder, temporaryFolder } from './checkpoint-files.js'
import { type RunGraph, openGraph } from './graphs.js'

/** Writes one graph and opens it, to test a block by itself. The folder is the caller's to remove. */
export async function openSingleGraph(graph: GraphBuilder): Promise<{ run: RunGraph; folder: TemporaryFolder }> {
  const folder = temporaryFolder()
  await writeGraph(graph.content, folder.file('graph.onnx'), { locations: new Map() })
  return { run: await openGraph(folder.path, 'graph.onnx'), folder }
}
