import type { PatchGrid } from '../model/explain/explained-answer.js'
import type { SeenFrame } from './explanation.js'

/** A rectangle over a picture, in shares of its width and height; it may reach beyond it. */
export interface Region {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
}

/**
 * Where a picture's patches lie on it.
 *
 * ```
 * a frame, squeezed into the square     all of it
 * a picture that is laid on a square    the square around it
 * cut out of the centre                 `crop` of its shortest edge, in the middle
 * ```
 */
export function patchRegion({ width, height, kind }: Pick<SeenFrame, 'width' | 'height' | 'kind'>, { crop, padsPictures }: PatchGrid): Region {
  const side = Math.max(width, height)
  const [laidWidth, laidHeight] = padsPictures && kind === 'picture' ? [side, side] : [width, height]
  const edge = Math.min(laidWidth, laidHeight) * (crop ?? 1)
  const [seenWidth, seenHeight] = crop === undefined ? [laidWidth, laidHeight] : [edge, edge]
  return {
    left: (width - seenWidth) / 2 / width,
    top: (height - seenHeight) / 2 / height,
    width: seenWidth / width,
    height: seenHeight / height,
  }
}
