import { paintBackground } from './background.js'
import type { Rgb } from './background.js'
import { outlines } from './outline.js'
import { centreAt } from './motion.js'
import type { Scene, Shape } from './scene.js'
import type { Colour } from './traits.js'

const PALETTE: Readonly<Record<Colour, Rgb>> = {
  red: [215, 35, 40],
  green: [35, 165, 65],
  blue: [40, 80, 220],
  yellow: [240, 220, 45],
  purple: [140, 50, 180],
  orange: [245, 140, 30],
}

/** Where in the clip a frame lies: 0 for the first, 1 for the last. */
export function timeOf(scene: Scene, frame: number): number {
  return scene.frameCount === 1 ? 0 : frame / (scene.frameCount - 1)
}

/** Whether a shape is in the picture at a time. */
export function isVisible(shape: Shape, time: number): boolean {
  return time >= shape.appearsAt
}

/** A shape's colour at a time. */
export function colourAt(shape: Shape, time: number): Colour {
  return shape.change !== undefined && time >= shape.change.at ? shape.change.colour : shape.colour
}

/**
 * Makes a function that draws any frame of a scene as RGB24, rows from the top, three bytes a pixel.
 *
 * The background is painted once; a frame costs one copy and the shapes' boxes.
 */
export function createRenderer(scene: Scene): (frame: number) => Uint8Array {
  const background = paintBackground(scene.background, scene.width, scene.height)
  return (frame) => {
    const time = timeOf(scene, frame)
    const pixels = background.slice()
    for (const shape of scene.shapes) {
      if (isVisible(shape, time)) drawShape(pixels, scene, shape, time)
    }
    return pixels
  }
}

function drawShape(pixels: Uint8Array, { width, height }: Scene, shape: Shape, time: number): void {
  const [centreX, centreY] = centreAt(shape.path, shape.appearsAt, time)
  const [red, green, blue] = PALETTE[colourAt(shape, time)]
  const radius = shape.path.extent / 2
  const distance = outlines[shape.kind]
  const right = Math.min(width - 1, Math.ceil(centreX + radius))
  const bottom = Math.min(height - 1, Math.ceil(centreY + radius))
  const left = Math.max(0, Math.floor(centreX - radius) - 1)

  for (let y = Math.max(0, Math.floor(centreY - radius) - 1); y <= bottom; y += 1) {
    for (let x = left; x <= right; x += 1) {
      // Pixels are sampled at their centres; the edge blends over one pixel.
      const outside = distance((x + 0.5 - centreX) / radius, (y + 0.5 - centreY) / radius) * radius
      const cover = Math.min(1, Math.max(0, 0.5 - outside))
      if (cover === 0) continue
      const offset = (y * width + x) * 3
      blend(pixels, offset, red, cover)
      blend(pixels, offset + 1, green, cover)
      blend(pixels, offset + 2, blue, cover)
    }
  }
}

function blend(pixels: Uint8Array, offset: number, value: number, cover: number): void {
  const below = pixels[offset] ?? 0
  pixels[offset] = Math.round(below + (value - below) * cover)
}
