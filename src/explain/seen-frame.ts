import { loadSharp } from '../load-sharp.js'
import type { Frame } from '../types.js'
import type { SeenFrame } from './explanation.js'

/** Longest side of a picture in the page: large enough to see what is there, small enough for dozens of them. */
export const MOST_PIXELS_ACROSS = 480

/** Keeps a frame for the page: its pixels go on to the model. */
export async function seenFrame({ data, width, height, kind, ptsMs }: Frame): Promise<SeenFrame> {
  const sharp = await loadSharp()
  const picture = sharp(data, { raw: { width, height, channels: 3 } })
  const small = picture.resize({ width: MOST_PIXELS_ACROSS, height: MOST_PIXELS_ACROSS, fit: 'inside', withoutEnlargement: true })
  const { data: jpeg, info } = await small.jpeg({ quality: 80 }).toBuffer({ resolveWithObject: true })
  return { jpeg, width: info.width, height: info.height, ptsMs, ...(kind !== undefined && { kind }) }
}
