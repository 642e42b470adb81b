import type { Kind } from './traits.js'

/** Signed distance from a point to a shape's edge, negative inside; the shape fills the box from -1 to 1. */
export type Outline = (x: number, y: number) => number

type Corner = readonly [x: number, y: number]

/** How far a star's inner corners lie from its centre, against its outer ones. */
const STAR_WAIST = 0.42

/** Each kind of shape, pointing up. */
export const outlines: Readonly<Record<Kind, Outline>> = {
  circle: (x, y) => Math.sqrt(x * x + y * y) - 1,
  // The square's sides are shortened, so that it isn't the largest of all shapes by far.
  square: (x, y) => Math.max(Math.abs(x), Math.abs(y)) - 0.92,
  triangle: polygon([
    [0, -0.95],
    [1, 0.85],
    [-1, 0.85],
  ]),
  star: polygon(
    Array.from({ length: 10 }, (_, corner): Corner => {
      const angle = (corner * Math.PI) / 5
      const reach = corner % 2 === 0 ? 1 : STAR_WAIST
      return [reach * Math.sin(angle), -reach * Math.cos(angle)]
    }),
  ),
}

/**
 * Distance to the nearest side, with the sign from the even-odd rule.
 *
 * Called for each pixel, so it goes through plain numbers: iterating over pairs took ten times as long.
 */
function polygon(corners: readonly Corner[]): Outline {
  const xs = Float64Array.from(corners, ([x]) => x)
  const ys = Float64Array.from(corners, ([, y]) => y)
  return (x, y) => {
    let nearestSquared = Infinity
    let inside = false
    let x1 = xs[xs.length - 1] ?? 0
    let y1 = ys[ys.length - 1] ?? 0
    for (let corner = 0; corner < xs.length; corner += 1) {
      const x2 = xs[corner] ?? 0
      const y2 = ys[corner] ?? 0
      const sideX = x2 - x1
      const sideY = y2 - y1
      const along = ((x - x1) * sideX + (y - y1) * sideY) / (sideX * sideX + sideY * sideY)
      const part = along < 0 ? 0 : along > 1 ? 1 : along
      const awayX = x - x1 - sideX * part
      const awayY = y - y1 - sideY * part
      nearestSquared = Math.min(nearestSquared, awayX * awayX + awayY * awayY)
      if (y1 > y !== y2 > y && x < x1 + (sideX * (y - y1)) / sideY) inside = !inside
      x1 = x2
      y1 = y2
    }
    const nearest = Math.sqrt(nearestSquared)
    return inside ? -nearest : nearest
  }
}
