import type { GraphName } from '../runtime/session.js'
import type { ThreadPlan } from '../runtime/threads.js'
import type { Device } from './device.js'

/**
 * Graphs that gain nothing on a GPU: resizing has to give Pillow's very pixels, a look-up in a table reads next to
 * nothing of what would take gigabytes of the GPU's memory, and joining frames is a single addition. One answer is explained
 * at a time, whose cache lies in this process's memory.
 */
const ON_PROCESSOR: ReadonlySet<GraphName> = new Set<GraphName>([
  'preprocess', 'embedTokens', 'joinFrames', 'explainingConnector', 'explainingDecoder',
])

/**
 * Decides for each graph where it runs.
 *
 * @param layers Of the language model: its keys and values stay in a `webgpu` device's memory from run to run.
 */
export function placeGraphs(plan: ThreadPlan, { kind }: Device, layers: number): ThreadPlan {
  const place = (graph: GraphName): ThreadPlan[GraphName] => {
    if (kind === 'cpu' || ON_PROCESSOR.has(graph)) return plan[graph]
    const isKept = kind === 'webgpu' && graph === 'decoder'
    return { ...plan[graph], provider: kind, keptOutputs: isKept ? cacheOutputs(layers) : [] }
  }
  return {
    preprocess: place('preprocess'),
    visionEncoder: place('visionEncoder'),
    connector: place('connector'),
    frameConnector: place('frameConnector'),
    joinFrames: place('joinFrames'),
    embedTokens: place('embedTokens'),
    decoder: place('decoder'),
    appendingDecoder: place('appendingDecoder'),
    explainingConnector: place('explainingConnector'),
    explainingDecoder: place('explainingDecoder'),
  }
}

function cacheOutputs(layers: number): readonly string[] {
  return Array.from({ length: layers }, (_, layer) => [`present.${layer}.key`, `present.${layer}.value`]).flat()
}
