import { StreamError } from '../errors.js'
import type { FrameFeatures } from '../types.js'
import { narrowToFloat16, widenFloat16 } from './float16.js'
import type { Activations } from './precision.js'

/** A frame's features as they are kept: float32, or bit patterns of float16. */
export type FeatureValues = FrameFeatures['data']

/** Features as float32; such as are already float32 are given back as they are. */
export function floatFeatures(data: FeatureValues): Float32Array {
  if (data instanceof Float32Array) return data
  const floats = new Float32Array(data.length)
  widenFloat16(data, floats)
  return floats
}

/** Features in the type that a model's graphs take: those of a model that keeps them otherwise are widened, or rounded. */
export function featuresAs(type: Activations, data: FeatureValues): FeatureValues {
  if (type === 'float32') return floatFeatures(data)
  if (data instanceof Uint16Array) return data
  const bits = new Uint16Array(data.length)
  narrowToFloat16(data, bits)
  return expectFinite(bits)
}

// All ones: infinite, or not a number.
const EXPONENT = 0x7c00

/**
 * Gives bit patterns of float16 back that are all finite.
 *
 * @throws {StreamError} `MODEL_FAILED`: a tower's value is beyond what float16 has. It would spoil the whole answer, unseen.
 */
export function expectFinite(bits: Uint16Array): Uint16Array {
  if (bits.every((value) => (value & EXPONENT) !== EXPONENT)) return bits
  throw new StreamError('MODEL_FAILED', 'The vision tower gave a value that float16 has not. Convert with `--vision-precision fp32`.')
}
