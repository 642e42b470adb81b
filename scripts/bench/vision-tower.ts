import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { InferenceSession, Tensor } from 'onnxruntime-node'

import { readDescription } from '../../src/model/checkpoint/config.js'
import { buildVisionEncoder } from '../../src/model/convert/vision-graph.js'
import { GraphBuilder } from '../../src/model/graph/builder.js'
import { Module } from '../../src/model/graph/module.js'
import { writeGraph } from '../../src/model/graph/write.js'
import { siglip } from '../../src/model/parts/towers/siglip.js'
import { matmulPeak } from './matmul-peak.js'
import { type Row, medianMs } from './measure.js'
import { randomWeights, writeRandomValues } from './random-weights.js'

/** SigLIP so400m-384, the tower of the published TinyLLaVA-Video checkpoints. */
const SO400M = { hidden: 1152, intermediate: 4304, layers: 27, heads: 16, image: 384, patch: 14, tokens: 729 }

// The fastest size differs from machine to machine.
const PEAK_SIZES = [512, 1024, 2048] as const

/** Floating point operations of one frame in matrix products; the last layer doesn't run. */
function operationsPerFrame(layers: number): number {
  const { hidden, intermediate, tokens, patch } = SO400M
  const projections = 4 * hidden * hidden + 2 * hidden * intermediate
  const attention = 2 * tokens * hidden
  return 2 * tokens * ((layers - 1) * (projections + attention) + 3 * patch * patch * hidden)
}

/**
 * Times the full-size tower with random weights in fp32 against the machine's own matrix product.
 *
 * @param layers Layers of the tower; 27 is full size.
 */
export async function benchVisionTower({ layers = SO400M.layers, threads, repeats }: { layers?: number; threads: number; repeats: number }): Promise<Row> {
  const folder = await mkdtemp(join(tmpdir(), 'tinyllava-bench-'))
  try {
    await writeTower(folder, layers)
    const session = await InferenceSession.create(join(folder, 'tower.onnx'), { intraOpNumThreads: threads })
    const { image } = SO400M
    const feeds = {
      pixels: new Tensor('uint8', Uint8Array.from({ length: image * image * 3 }, (_, index) => index % 251), [1, image, image, 3]),
      near_black: new Tensor('bool', [false], [1]),
    }
    const milliseconds = await medianMs(() => session.run(feeds), repeats)
    await session.release()
    const reached = operationsPerFrame(layers) / milliseconds / 1e6
    const peaks: number[] = []
    for (const size of PEAK_SIZES) peaks.push(await matmulPeak(size, threads, repeats * 3))
    const peak = Math.max(...peaks)
    return {
      what: `SigLIP so400m-384, ${layers - 1} layers, fp32, ${threads} threads: share of the machine's matrix product`,
      figure: `${(milliseconds / 1000).toFixed(2)} s a frame, ${reached.toFixed(0)} GFLOP/s`,
      against: `${peak.toFixed(0)} GFLOP/s (best of square products of ${PEAK_SIZES.join(', ')})`,
      ratio: reached / peak,
    }
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function writeTower(folder: string, layers: number): Promise<void> {
  const { hidden, intermediate, heads, image, patch } = SO400M
  await writeFile(join(folder, 'config.json'), JSON.stringify({
    model_type: 'tinyllava',
    connector_type: 'groupresampler',
    text_config: {},
    vision_config: {
      hidden_size: hidden, intermediate_size: intermediate, num_hidden_layers: layers, num_attention_heads: heads,
      image_size: image, patch_size: patch,
    },
  }))
  const { config } = await readDescription(folder)
  await writeRandomValues(join(folder, 'random.bin'), hidden * intermediate)
  const module = new Module(GraphBuilder.empty('tower'), randomWeights(join(folder, 'random.bin')), 'fused')
  buildVisionEncoder(module, siglip, siglip.describe(config).pixels, config)
  await writeGraph(module.graph.content, join(folder, 'tower.onnx'), { locations: new Map() })
}
