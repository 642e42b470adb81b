import { loadSharp } from '../load-sharp.js'
import type { Explanation } from './explanation.js'

/** From hardly looked at to looked at most: red, green, blue, opacity (0 to 255 each). */
const COLOURS = [
  [68, 1, 84, 0],
  [158, 31, 99, 110],
  [237, 85, 59, 170],
  [253, 231, 37, 205],
] as const

/** Steps between them: an eye can't tell more apart, and a palette of 256 colours would be larger than the map. */
const LEVELS = 16

/**
 * Draws how much each patch of a picture was looked at, as a small PNG with one pixel a patch: the viewer
 * enlarges it over the picture.
 *
 * @param map `[rows * columns]`, 0 and above.
 * @param most What the strongest colour stands for; the same for all frames of a token, so that they can be compared.
 */
export async function heatMapPng(map: Float32Array, { rows, columns }: Explanation['patches'], most: number): Promise<Uint8Array> {
  const pixels = new Uint8Array(rows * columns * 4)
  for (let place = 0; place < rows * columns; place += 1) pixels.set(colourOf((map[place] ?? 0) / most), place * 4)
  const sharp = await loadSharp()
  return sharp(pixels, { raw: { width: columns, height: rows, channels: 4 } }).png({ palette: true, colours: LEVELS, dither: 0 }).toBuffer()
}

/** The colour of a share of the most, between the two nearest of the table. */
function colourOf(share: number): readonly number[] {
  const level = Math.round(Math.min(1, Math.max(0, Number.isFinite(share) ? share : 0)) * (LEVELS - 1))
  const place = (level / (LEVELS - 1)) * (COLOURS.length - 1)
  const lower = Math.min(Math.floor(place), COLOURS.length - 2)
  const [from, to] = [COLOURS[lower] ?? COLOURS[0], COLOURS[lower + 1] ?? COLOURS[0]]
  return from.map((value, channel) => Math.round(value + (place - lower) * ((to[channel] ?? 0) - value)))
}
