import { existsSync } from 'node:fs'
import { join } from 'node:path'

import { type ConvertOptions, convertCheckpoint } from '../../src/model/convert.js'
import { randomCheckpoint } from './checkpoint/checkpoint.js'
import type { Geometry } from './checkpoint/geometry.js'

/** Ways to convert a checkpoint for a comparison. */
export const VARIANTS = {
  fp32: { precision: 'fp32' },
  int8: { precision: 'int8' },
  /** The language model in 4 bit; the tower in 8, as it comes with that. */
  int4: { precision: 'int4' },
  'int4-block-128': { precision: 'int4', blockSize: 128 },
  /** The tower's activations quantised, too. */
  'int8-dynamic': { precision: 'int4', visionPrecision: 'int8-dynamic' },
  /** Without fused attention, as other projects export it. */
  'fp32-primitive': { precision: 'fp32', attention: 'primitive' },
  'int4-primitive': { precision: 'int4', attention: 'primitive' },
} as const satisfies Readonly<Record<string, ConvertOptions>>

/** Name of a way to convert. */
export type Variant = keyof typeof VARIANTS

/**
 * The bundle of a checkpoint of random weights, converted now or by an earlier call.
 *
 * @param cache Folder that checkpoints and bundles are kept in. Remove it after a change to the converter.
 */
export async function randomBundle(cache: string, geometry: Geometry, variant: Variant): Promise<string> {
  const { checkpoint } = await randomCheckpoint(cache, geometry)
  const bundle = join(cache, geometry.name, `bundle-${variant}`)
  if (!existsSync(bundle)) await convertCheckpoint(checkpoint, bundle, VARIANTS[variant])
  return bundle
}
