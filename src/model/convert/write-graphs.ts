import { rm } from 'node:fs/promises'
import { join } from 'node:path'

import type { GraphBuilder } from '../graph/builder.js'
import { type WeightLocation, type WrittenFile, writeGraph } from '../graph/write.js'
import { GRAPH_FILES } from '../manifest.js'
import { checkTower } from './gate/check-tower.js'
import type { ConversionPlan } from './plan.js'

/** How far a conversion is. */
export interface ConvertProgress {
  /** The graph being written, e.g. `decoder_model_merged.onnx`. */
  readonly stage: string
  /** Bytes of weights written so far. */
  readonly doneBytes: number
  /** Bytes of weights in all. */
  readonly totalBytes: number
}

/** How graphs are written. */
export interface WriteGraphsOptions {
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: ConvertProgress) => void) | undefined
}

const EXACT_TOWER = 'exact_tower.onnx'

/** Bytes of weights that a plan writes, each once, in the precision they are kept in. */
export function countBytes({ graphs }: Pick<ConversionPlan, 'graphs'>): number {
  const sizes = new Map<string, number>()
  for (const { content } of graphs.values()) {
    for (const { data } of content.weights.values()) sizes.set(data.key, data.bytes)
  }
  return [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0)
}

/** Bytes of the tower that another has to be compared with: on disk for as long as that takes. 0 where none has to be. */
export function countProofBytes({ exactTower }: Pick<ConversionPlan, 'exactTower'>): number {
  return exactTower === undefined ? 0 : countBytes({ graphs: new Map([[EXACT_TOWER, exactTower]]) })
}

/**
 * Writes all graphs of a plan. A tower that has to prove itself does so before anything larger is written.
 *
 * @throws {StreamError} `CONVERT_INACCURATE`, `MODEL_FAILED`, `ABORTED`; whatever reading a weight throws.
 */
export async function writeGraphs(plan: ConversionPlan, directory: string, options: WriteGraphsOptions): Promise<readonly WrittenFile[]> {
  const totalBytes = countBytes(plan)
  const locations = new Map<string, WeightLocation>()
  const files: WrittenFile[] = []
  let doneBytes = 0
  for (const [stage, { content }] of plan.graphs) {
    const onBytes = (bytes: number): void => {
      doneBytes += bytes
      options.onProgress?.({ stage, doneBytes, totalBytes })
    }
    files.push(...(await writeGraph(content, join(directory, stage), { locations, onBytes, ...(options.signal && { signal: options.signal }) })))
    if (stage === GRAPH_FILES.visionEncoder && plan.exactTower !== undefined) {
      await proveTower(plan.exactTower, { directory, imageSize: plan.parts.visionTower.imageSize, signal: options.signal })
    }
  }
  return files
}

interface ProofOptions {
  readonly directory: string
  readonly imageSize: number
  readonly signal: AbortSignal | undefined
}

/** Compares the tower that was written with the exact one, which lies beside it meanwhile. */
async function proveTower({ content }: GraphBuilder, { directory, imageSize, signal }: ProofOptions): Promise<void> {
  const exact = join(directory, EXACT_TOWER)
  const files = await writeGraph(content, exact, { locations: new Map(), ...(signal && { signal }) })
  await checkTower({ exact, quantised: join(directory, GRAPH_FILES.visionEncoder), imageSize }, signal)
  await Promise.all(files.map(({ name }) => rm(join(directory, name))))
}
