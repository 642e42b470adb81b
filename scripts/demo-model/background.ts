import { createRng } from './rng.js'
import type { Rng } from './rng.js'

/** Red, green and blue, 0 to 255. */
export type Rgb = readonly [red: number, green: number, blue: number]

/** A still, muted background. */
export type Background =
  | { readonly type: 'plain'; readonly colour: Rgb }
  | { readonly type: 'gradient'; readonly from: Rgb; readonly to: Rgb; readonly angle: number }
  | { readonly type: 'noisy'; readonly colour: Rgb; readonly amplitude: number; readonly seed: number }

/** How far a channel may lie from grey: well below what any shape's colour has. */
const TINT = 14

/** Draws a background that can't be taken for a shape. */
export function drawBackground(rng: Rng): Background {
  const colour = drawMuted(rng)
  switch (rng.pick(['plain', 'gradient', 'noisy'])) {
    case 'plain':
      return { type: 'plain', colour }
    case 'gradient':
      return { type: 'gradient', from: colour, to: drawMuted(rng), angle: rng.between(0, 2 * Math.PI) }
    case 'noisy':
      return { type: 'noisy', colour, amplitude: rng.between(6, 24), seed: Math.floor(rng.next() * 2 ** 32) }
  }
}

function drawMuted(rng: Rng): Rgb {
  const grey = rng.between(50, 215)
  const tinted = (): number => Math.round(grey + rng.between(-TINT, TINT))
  return [tinted(), tinted(), tinted()]
}

/** Paints the background into a new RGB24 picture. */
export function paintBackground(background: Background, width: number, height: number): Uint8Array {
  // Values are rounded and kept within 0 to 255 by the array itself.
  const pixels = new Uint8ClampedArray(width * height * 3)
  const { from, to, partAt } = painter(background, width, height)
  for (let y = 0, offset = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1, offset += 3) {
      const part = partAt(x, y)
      pixels[offset] = from[0] + (to[0] - from[0]) * part
      pixels[offset + 1] = from[1] + (to[1] - from[1]) * part
      pixels[offset + 2] = from[2] + (to[2] - from[2]) * part
    }
  }
  return new Uint8Array(pixels.buffer)
}

/** Each background as a mix of two colours that differs from pixel to pixel. */
interface Painter {
  readonly from: Rgb
  readonly to: Rgb
  readonly partAt: (x: number, y: number) => number
}

function painter(background: Background, width: number, height: number): Painter {
  switch (background.type) {
    case 'plain':
      return { from: background.colour, to: background.colour, partAt: () => 0 }
    case 'gradient': {
      const { from, to, angle } = background
      const dx = Math.cos(angle)
      const dy = Math.sin(angle)
      const reach = Math.abs(dx) + Math.abs(dy)
      return { from, to, partAt: (x, y) => 0.5 + ((x / width - 0.5) * dx + (y / height - 0.5) * dy) / reach }
    }
    case 'noisy': {
      const { amplitude, seed } = background
      const [red, green, blue] = background.colour
      const rng = createRng(seed)
      return {
        from: [red - amplitude, green - amplitude, blue - amplitude],
        to: [red + amplitude, green + amplitude, blue + amplitude],
        partAt: () => rng.next(),
      }
    }
  }
}
