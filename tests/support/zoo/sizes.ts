import { openCheckpoint } from '../../../src/model/checkpoint/layouts/layouts.js'
import { type ConversionPlan, planConversion } from '../../../src/model/convert/plan.js'
import { planPrecisions } from '../../../src/model/convert/precisions.js'
import { countBytes } from '../../../src/model/convert/write-graphs.js'
import { GRAPH_FILES } from '../../../src/model/manifest.js'
import { PRECISIONS, type Precision } from '../../../src/model/precision.js'
import { createQuantisePool } from '../../../src/model/quantise/pool.js'

// What a processor loads: of the two decoders the one that leaves the cache where it is.
const LOADED = [GRAPH_FILES.visionEncoder, GRAPH_FILES.connector, GRAPH_FILES.embedTokens, GRAPH_FILES.appendingDecoder]

/** Positions of the answer that memory is counted for: a picture's 728 tokens or a clip's 512, a question, the longest answer by default. */
const POSITIONS = 728 + 60 + 512

/**
 * What a checkpoint's bundle takes in each precision, as planned by the converter and never written: weights on disk and in
 * memory, in gigabytes.
 *
 * @param directory A checkpoint, which may be hollow.
 * @returns `14.4 / 15.7` for each of `PRECISIONS`.
 */
export async function sizesOf(directory: string): Promise<readonly string[]> {
  const cells: string[] = []
  for (const precision of PRECISIONS) {
    const plan = await planOf(directory, precision)
    cells.push([countBytes(plan), memoryOf(plan)].map((bytes) => (bytes / 1e9).toFixed(1)).join(' / '))
  }
  return cells
}

async function planOf(directory: string, precision: Precision): Promise<ConversionPlan> {
  const { description, weights } = await openCheckpoint(directory)
  const pool = createQuantisePool()
  try {
    return planConversion(description, weights, { ...planPrecisions({ precision }), attention: 'fused', pool })
  } finally {
    await pool.close()
  }
}

/** Weights of the graphs that are loaded, each by itself, and keys and values of one answer in float32. */
function memoryOf({ graphs, parts }: ConversionPlan): number {
  const weights = LOADED.reduce((sum, file) => {
    const graph = graphs.get(file)
    return graph === undefined ? sum : sum + countBytes({ graphs: new Map([[file, graph]]) })
  }, 0)
  const { keyValueHeads, headSize } = parts.languageModel
  const cache = keyValueHeads.reduce((sum, heads) => sum + 2 * heads * headSize * POSITIONS * 4, 0)
  return weights + cache
}
