import { Tensor } from 'onnxruntime-node'
import type { FrameFeatures } from '../../types.js'
import { narrowToFloat16, widenFloat16 } from '../float16.js'
import type { Activations } from '../precision.js'
import { joined } from './joined.js'

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
  return bits
}

/** The features of frames, all of one type, behind one another: `[frames, tokens, width]`. */
export function featuresTensor(frames: readonly FrameFeatures[]): Tensor {
  const { tokens, width } = frames[0] ?? { tokens: 0, width: 0 }
  const shape = [frames.length, tokens, width]
  const parts = frames.map(({ data }) => data)
  if (parts.every((part) => part instanceof Float32Array)) return new Tensor('float32', joined(Float32Array, parts), shape)
  if (parts.every((part) => part instanceof Uint16Array)) return new Tensor('float16', joined(Uint16Array, parts), shape)
  throw new Error('The frames of a clip have features of two types.')
}
