import type { Pixels } from '../model/model.js'

/** Cells of a grid in each direction. */
const CELLS = 32
/** Most rows and columns of a picture that are looked at: 64 pixels a cell, so that a sensor's noise evens out. */
const MOST_LINES = 256

const CHANNELS = 3

/** A picture at a glance: what 32 x 32 cells look like on average. */
export interface PictureGrid {
  readonly width: number
  readonly height: number
  /** Of each cell brightness and the two colour differences (BT.601's Y, Cb, Cr), in levels of 255. */
  readonly means: Float32Array
}

/** Makes the grid of a picture from at most 65,536 of its pixels. Keeps none of them. */
export function pictureGrid({ data, width, height }: Pixels): PictureGrid {
  const [columns, rows] = [linesOf(width), linesOf(height)]
  const means = new Float32Array(CELLS * CELLS * CHANNELS)
  rows.pixels.forEach((y, row) => {
    const cellRow = (rows.cells[row] ?? 0) * CELLS
    for (let column = 0; column < columns.pixels.length; column++) {
      const from = (y * width + (columns.pixels[column] ?? 0)) * CHANNELS
      const cellColumn = columns.cells[column] ?? 0
      const to = (cellRow + cellColumn) * CHANNELS
      // Each pixel's share of its cell, so that the sum is the mean.
      const share = (rows.shares[row] ?? 0) * (columns.shares[column] ?? 0)
      means[to] = (means[to] ?? 0) + (data[from] ?? 0) * share
      means[to + 1] = (means[to + 1] ?? 0) + (data[from + 1] ?? 0) * share
      means[to + 2] = (means[to + 2] ?? 0) + (data[from + 2] ?? 0) * share
    }
  })
  for (let cell = 0; cell < means.length; cell += CHANNELS) toBrightnessAndColour(means.subarray(cell, cell + CHANNELS))
  return { width, height, means }
}

/** Rows or columns that are looked at, spread evenly. */
interface Lines {
  readonly pixels: Int32Array
  readonly cells: Int32Array
  /** What part of its cell each line is. */
  readonly shares: Float32Array
}

function linesOf(length: number): Lines {
  const count = Math.min(length, MOST_LINES)
  const lines = Int32Array.from({ length: count }, (_, line) => line)
  const cells = lines.map((line) => Math.floor((line * CELLS) / count))
  const sizes = new Int32Array(CELLS)
  for (const cell of cells) sizes[cell] = (sizes[cell] ?? 0) + 1
  return {
    pixels: lines.map((line) => Math.floor(((line + 0.5) * length) / count)),
    cells,
    shares: Float32Array.from(cells, (cell) => 1 / (sizes[cell] ?? 1)),
  }
}

/** In place. Means can be converted instead of pixels, as it is linear. */
function toBrightnessAndColour(cell: Float32Array): void {
  const [red = 0, green = 0, blue = 0] = cell
  const brightness = 0.299 * red + 0.587 * green + 0.114 * blue
  cell.set([brightness, (blue - brightness) / 1.772, (red - brightness) / 1.402])
}

/**
 * How much two pictures differ: by the cell that differs most, in brightness or colour, in levels of 255. Something
 * small that moves shows in its cell, where in a mean over the picture it would be lost. Infinity: they differ in size.
 */
export function greatestDifference(one: PictureGrid, other: PictureGrid): number {
  if (one.width !== other.width || one.height !== other.height) return Infinity
  return one.means.reduce((most, mean, place) => Math.max(most, Math.abs(mean - (other.means[place] ?? 0))), 0)
}
