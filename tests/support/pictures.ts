import type { Pixels } from '../../src/model/model.js'
import type { ReferenceCase } from './cases.js'
import { goldenTensor } from './golden.js'

/** The sampled frames of a case. */
export function framesOf({ tensors }: ReferenceCase): readonly Pixels[] {
  const { data, shape: [count = 0, height = 0, width = 0] } = goldenTensor(tensors, 'frames')
  const size = height * width * 3
  return Array.from({ length: count }, (_, index) => ({
    data: Uint8Array.from(data.subarray(index * size, (index + 1) * size)),
    width,
    height,
  }))
}
