import type { Pixels } from '../../src/model/model.js'
import type { ReferenceCase } from './cases.js'
import { goldenTensor } from './golden.js'

/** A case's frames at their full size. Those that TinyLLaVA_Factory saw are pictures. */
export function framesOf({ tensors, golden }: ReferenceCase): readonly Pixels[] {
  const { data, shape: [count = 0, height = 0, width = 0] } = goldenTensor(tensors, 'frames')
  const size = height * width * 3
  const kind = golden.reference === 'factory' ? 'picture' : 'frame'
  return Array.from({ length: count }, (_, index) => ({
    data: Uint8Array.from(data.subarray(index * size, (index + 1) * size)),
    width,
    height,
    kind,
  }))
}
