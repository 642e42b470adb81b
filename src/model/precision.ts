import { z } from 'zod'

import { BLOCK_SIZES, type Bits } from './quantise/block-format.js'

/** Precisions of a model's weights, the most exact first. */
export const PRECISIONS = ['fp32', 'fp16', 'int8', 'int4'] as const

/** Precision of a model's weights. */
export type Precision = (typeof PRECISIONS)[number]

/** Precisions of a vision tower: `int8-dynamic` also quantises what goes into each layer, by one scale for all of it. */
export const VISION_PRECISIONS = [...PRECISIONS, 'int8-dynamic'] as const

/** Precision of a vision tower's weights. */
export type VisionPrecision = (typeof VISION_PRECISIONS)[number]

/** Types that a part computes in. */
export const ACTIVATIONS = ['float32', 'float16'] as const

/** What a part computes in. */
export type Activations = (typeof ACTIVATIONS)[number]

/** How one part's numbers are kept, as manifests say it. */
export const partPrecisionSchema = z.object({
  weights: z.enum(VISION_PRECISIONS),
  /** Values of a row that share a scale; of `int8` and `int4` alone. */
  blockSize: z.literal(BLOCK_SIZES).optional(),
  /** What the part computes in; the inputs and outputs of its graphs are float32, but for the language model's cache and a frame's features. */
  activations: z.enum(ACTIVATIONS),
})

/** How one part's numbers are kept. */
export type PartPrecision = z.infer<typeof partPrecisionSchema>

/** Bits of weights that are quantised in blocks; `undefined` where they aren't. */
export function bitsOf({ weights }: PartPrecision): Bits | undefined {
  return weights === 'int8' ? 8 : weights === 'int4' ? 4 : undefined
}
