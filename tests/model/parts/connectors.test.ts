/** What connectors make of clips and of bad configurations; their numbers are compared with the reference in `stages.test.ts`. */
import { readFileSync } from 'node:fs'

import { Tensor } from 'onnxruntime-node'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { convertCheckpoint } from '../../../src/model/convert.js'
import { openCheckpoint } from '../../../src/model/checkpoint/layouts/layouts.js'
import { GraphBuilder } from '../../../src/model/graph/builder.js'
import { Module } from '../../../src/model/graph/module.js'
import { qFormer } from '../../../src/model/parts/connectors/q-former.js'
import { createQuantisePool } from '../../../src/model/quantise/pool.js'
import { featuresAs } from '../../../src/model/feature-values.js'
import { type ConvertedCase, convertCase, readCase } from '../../support/cases.js'
import { type TemporaryFolder, copyCheckpoint, editConfig, temporaryFolder } from '../../support/checkpoint-files.js'
import { goldenTensor, referencePath, relativeError } from '../../support/golden.js'
import { float32Tensor, floats, openGraph } from '../../support/graphs.js'
import { writeHollowCheckpoint } from '../../support/random-checkpoint.js'
import { seededNormals } from '../../support/seeded.js'
import type { TensorShape } from '../../support/zoo/shapes.js'

const joined = (...parts: readonly Float32Array[]): Float32Array => Float32Array.from(parts.flatMap((part) => [...part]))

/** A case's connector, on frames of random features. */
function connectorOf({ directory, manifest }: ConvertedCase) {
  const { tokensPerFrame: tokens, width } = manifest.visionTower
  const frame = (seed: number) => seededNormals(tokens * width, seed)
  const connect = async (...frames: readonly Float32Array[]): Promise<Float32Array> => {
    const run = await openGraph(directory, 'connector.onnx')
    return floats(await run({ features: float32Tensor(joined(...frames), [frames.length, tokens, width]) }), 'visual_tokens')
  }
  return { frame, connect }
}

describe.each(['picture-mlp2x', 'picture-mlp3x', 'picture-linear', 'picture-identity', 'picture-mof'])('%s', (name) => {
  let bundle: ConvertedCase
  beforeAll(async () => { bundle = await convertCase(readCase(name), 'fused') })
  afterAll(() => { bundle.remove() })

  test('gives the tokens of each frame by itself, in order', async () => {
    const { frame, connect } = connectorOf(bundle)
    const [first, second, third] = [await connect(frame(1)), await connect(frame(2)), await connect(frame(3))]
    expect(relativeError(await connect(frame(1), frame(2), frame(3)), joined(first, second, third))).toBeLessThan(1e-6)
    expect(bundle.manifest.connector.framesAlone).toBe('always')
  })
})

describe.each(['picture-resampler', 'picture-qformer'])('%s', (name) => {
  let bundle: ConvertedCase
  beforeAll(async () => { bundle = await convertCase(readCase(name), 'fused') })
  afterAll(() => { bundle.remove() })

  test('looks at all frames of a clip as one sequence without places', async () => {
    const { frame, connect } = connectorOf(bundle)
    const both = await connect(frame(1), frame(2))
    expect(relativeError(await connect(frame(2), frame(1)), both)).toBeLessThan(1e-5)
    expect(relativeError(await connect(frame(1)), both)).toBeGreaterThan(1e-2)
    expect(bundle.manifest.connector).not.toHaveProperty('framesAlone')
  })
})

describe.each(['picture-mlp3x', 'picture-linear', 'picture-mof', 'picture-resampler', 'picture-qformer'])('%s in other precisions', (name) => {
  const reference = readCase(name)
  let folder: TemporaryFolder
  beforeEach(() => { folder = temporaryFolder() })
  afterEach(() => { folder.remove() })

  // Widths of 36 to 112 fill no block of 128. Connectors are never below 8 bits.
  test.each([['fp16', 2e-3], ['int8', 5e-2], ['int4', 5e-2]] as const)('%s: tokens within %f', async (precision, tolerance) => {
    const { visionTower: { features: type } } = await convertCheckpoint(reference.checkpoint, folder.file('bundle'), { precision })
    const { data, shape } = goldenTensor(reference.tensors, 'features')
    const run = await openGraph(folder.file('bundle'), 'connector.onnx')
    const features = new Tensor(type, featuresAs(type, Float32Array.from(data)), shape)
    const tokens = floats(await run({ features }), 'visual_tokens')
    expect(relativeError(tokens, goldenTensor(reference.tensors, 'connector').data)).toBeLessThan(tolerance)
  })
})

describe('a configuration that a connector has no use for', () => {
  let folder: TemporaryFolder
  beforeEach(() => { folder = temporaryFolder() })
  afterEach(() => { folder.remove() })

  test.each([
    ['picture-mlp2x', 'mlp2x_relu', 'CHECKPOINT_UNSUPPORTED', /mlp2x_relu can't be built: mlpNx_gelu/],
    ['picture-mlp2x', 'mlpNx_gelu', 'CHECKPOINT_UNSUPPORTED', /mlpNx_gelu can't be built/],
    ['picture-mlp2x', 'mlp', 'PART_UNKNOWN', /Known: .*mlpNx_gelu/],
    ['picture-mlp2x', 'my_mlp2x_gelu', 'PART_UNKNOWN', /my_mlp2x_gelu/],
    ['picture-mlp2x', 'identity', 'CHECKPOINT_CONFIG_INVALID', /tower is 36 wide and the language model 64/],
    ['picture-mlp2x', 'mlp3x_gelu', 'CHECKPOINT_TENSOR_MISSING', /connector\._connector\.4\.weight/],
    ['picture-mlp3x', 'mlp2x_gelu', 'CHECKPOINT_TENSOR_UNUSED', /connector\._connector\.4\.weight/],
    ['picture-mlp2x', 'linear', 'CHECKPOINT_TENSOR_MISSING', /connector\._connector\.weight/],
    ['picture-mlp2x', 'resampler', 'CHECKPOINT_CONFIG_INVALID', /lacks num_queries/],
    ['picture-mlp2x', 'qformer', 'CHECKPOINT_CONFIG_INVALID', /lacks num_queries/],
    ['picture-qformer', 'qformer', 'CHECKPOINT_WEIGHTS_INVALID', /query_tokens of .* has shape \[1, 10, 48\], config\.json asks for \[1, 10, 768\]/],
    ['picture-mlp2x', 'mof_mlp', 'CHECKPOINT_TENSOR_MISSING', /connector\._connector\.clip\.0\.weight/],
  ])('%s as %s: %s', async (name, connectorType, code, message) => {
    copyCheckpoint(name, folder.file('checkpoint'))
    editConfig(folder.file('checkpoint'), (config) => { config.connector_type = connectorType })
    const refusal = { code, message: expect.stringMatching(message) as string }
    await expect(convertCheckpoint(folder.file('checkpoint'), folder.file('bundle'))).rejects.toMatchObject(refusal)
  })
})

/** What the reference's own class holds, by names and shapes. */
interface QFormerShapes {
  readonly config: { readonly num_queries: number; readonly vision_hidden_size: number; readonly hidden_size: number }
  readonly shapes: Readonly<Record<string, readonly number[]>>
}

test('the Q-Former of the reference’s own size takes every weight that the reference saves, in its shape', async () => {
  const { config, shapes } = JSON.parse(readFileSync(referencePath('qformer-shapes.json'), 'utf8')) as QFormerShapes
  const folder = temporaryFolder()
  const pool = createQuantisePool()
  try {
    const tensors = Object.entries(shapes).map(([name, shape]): TensorShape => [`connector.${name}`, shape])
    const description = { model_type: 'tinyllava', connector_type: 'qformer', text_config: {}, vision_config: {}, num_queries: config.num_queries }
    await writeHollowCheckpoint(folder.path, { config: description, tensors })
    const { description: read, weights } = await openCheckpoint(folder.path)
    const precision = { weights: 'fp32', activations: 'float32' } as const
    const root = new Module(GraphBuilder.empty('connector'), weights, { attention: 'fused', precision, pool })
    const features = root.graph.input('features', 'float32', ['frames', 4, config.vision_hidden_size])
    const tokens = qFormer.build(root.child('connector'), features, read.config, config.hidden_size)
    expect(tokens.shape.at(-1)).toBe(config.hidden_size)
    weights.check()
  } finally {
    folder.remove()
    await pool.close()
  }
})
