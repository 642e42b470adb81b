import { Tensor } from 'onnxruntime-node'
import type { FrameFeatures } from '../../types.js'
import { joined } from './joined.js'

/** The features of frames, all of one type, behind one another: `[frames, tokens, width]`. */
export function featuresTensor(frames: readonly FrameFeatures[]): Tensor {
  const { tokens, width } = frames[0] ?? { tokens: 0, width: 0 }
  const shape = [frames.length, tokens, width]
  const parts = frames.map(({ data }) => data)
  if (parts.every((part) => part instanceof Float32Array)) return new Tensor('float32', joined(Float32Array, parts), shape)
  if (parts.every((part) => part instanceof Uint16Array)) return new Tensor('float16', joined(Uint16Array, parts), shape)
  throw new Error('The frames of a clip have features of two types.')
}
