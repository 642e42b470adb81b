import { join } from 'node:path'

import { Tensor } from 'onnxruntime-node'

import { GRAPH_FILES, PIXEL_LEVELS } from '../../src/model/manifest.js'
import { randomBundle } from './bundles.js'
import { type Geometry, type TowerGeometry, operationsPerFrame } from './checkpoint/geometry.js'
import { matmulOperations, openMatmul } from './matmul-peak.js'
import { type Row, interleavedMs } from './measure.js'
import { type ReadyGraph, openGraph } from './ready-graph.js'
import { randomPictures } from './random-pictures.js'

const TOWERS = ['fp32', 'int8', 'int8-dynamic'] as const

/** How the tower is timed. */
export interface TowerBench {
  /** Folder for checkpoints and bundles. */
  readonly cache: string
  readonly geometry: Geometry
  readonly threads: number
  /** Counted rounds, in each of which everything runs once. */
  readonly rounds: number
  /** Sides of the matrices that the machine's own speed is measured with: the fastest differs from machine to machine. */
  readonly peakSizes: readonly number[]
}

/**
 * Times the tower with random weights: in fp32 against the machine's own matrix product, in 8 bit against fp32.
 *
 * All take turns, so that a slow moment of the machine hits them alike.
 */
export async function benchVisionTower({ cache, geometry, threads, rounds, peakSizes }: TowerBench): Promise<readonly Row[]> {
  const graphs = new Map<string, ReadyGraph>()
  try {
    for (const variant of TOWERS) {
      graphs.set(variant, await openTower(await randomBundle(cache, geometry, variant), geometry.tower, threads))
    }
    for (const size of peakSizes) graphs.set(String(size), await openMatmul(size, threads))
    const calls = Object.fromEntries([...graphs].map(([name, graph]) => [name, () => graph.run()]))
    return towerRows(await interleavedMs(calls, rounds), { tower: geometry.tower, threads, peakSizes })
  } finally {
    for (const graph of graphs.values()) await graph.close()
  }
}

function openTower(bundle: string, { image }: TowerGeometry, threads: number): Promise<ReadyGraph> {
  const [picture] = randomPictures(1, image, 1)
  const feeds = {
    pixels: new Tensor('uint8', picture?.data ?? [], [1, image, image, 3]),
    levels: new Tensor('int64', BigInt64Array.of(BigInt(PIXEL_LEVELS.frame)), [1]),
  }
  return openGraph(join(bundle, GRAPH_FILES.visionEncoder), feeds, threads)
}

/** @param times Milliseconds of each tower and of each size of the matrix product, by their names. */
export function towerRows(
  times: Readonly<Record<string, number>>,
  { tower, threads, peakSizes }: { tower: TowerGeometry } & Pick<TowerBench, 'threads' | 'peakSizes'>,
): readonly Row[] {
  const [fp32 = NaN, int8 = NaN, dynamic = NaN] = TOWERS.map((variant) => times[variant])
  const reached = gigaflops(operationsPerFrame(tower), fp32)
  const peak = Math.max(...peakSizes.map((size) => gigaflops(matmulOperations(size), times[String(size)] ?? NaN)))
  const what = `SigLIP ${tower.width} wide, ${tower.layers - 1} layers`
  const frame = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(2)} s a frame`
  return [
    {
      what: `${what}, fp32, ${threads} threads: share of ONNX Runtime's own matrix product`,
      figure: `${frame(fp32)}, ${reached.toFixed(0)} GFLOP/s`,
      against: `${peak.toFixed(0)} GFLOP/s (best of square products of ${peakSizes.join(', ')})`,
      ratio: reached / peak,
      goal: { atLeast: 0.92 },
    },
    { what: `${what}, int8: times as fast as fp32`, figure: frame(int8), against: frame(fp32), ratio: fp32 / int8, goal: { atLeast: 1.5 } },
    {
      what: `${what}, int8-dynamic: times as fast as fp32`,
      figure: frame(dynamic), against: frame(fp32), ratio: fp32 / dynamic, goal: { atLeast: 2.3 },
    },
  ]
}

const gigaflops = (operations: number, milliseconds: number): number => operations / milliseconds / 1e6
