import type { FrameFeatures } from '../types.js'

let bytes = 0
const collected = new FinalizationRegistry<number>((size) => { bytes -= size })

/** Counts a frame's features until the garbage collector has taken them. Each record is to be counted once. */
export function countFeatures(features: FrameFeatures): void {
  const size = features.data.byteLength
  bytes += size
  collected.register(features, size)
}

/** Bytes of all encoded frames' features in this process that are held, or not collected yet. */
export const heldFeatureBytes = (): number => bytes
