import { createRng } from './rng.js'
import type { Rng } from './rng.js'
import { drawBackground } from './background.js'
import type { Background } from './background.js'
import { placeShapes } from './motion.js'
import type { Path } from './motion.js'
import { COLOURS, KINDS, MOTIONS, SIZES } from './traits.js'
import type { Appearance, Colour, Kind, Motion, Size } from './traits.js'

/** One shape through the whole clip. Times are fractions of the clip, 0 at its first frame and 1 at its last. */
export interface Shape {
  readonly kind: Kind
  readonly size: Size
  readonly colour: Colour
  /** Present when the shape changes colour: to which, and when. */
  readonly change?: { readonly colour: Colour; readonly at: number }
  readonly appears: Appearance
  /** When it appears; 0 for shapes that are there from the beginning. */
  readonly appearsAt: number
  readonly motion: Motion
  readonly path: Path
}

/** All that a clip shows, in the order in which `describe` names its shapes. */
export interface Scene {
  readonly seed: number
  readonly width: number
  readonly height: number
  readonly framesPerSecond: number
  readonly frameCount: number
  /** x264's quality: 18 (fine) to 30 (coarse). */
  readonly crf: number
  readonly background: Background
  readonly shapes: readonly [Shape] | readonly [Shape, Shape]
}

/** Frame geometry fixed by the caller instead of the seed. */
export interface SceneOptions {
  readonly frame?: { readonly width: number; readonly height: number }
}

type Range = readonly [from: number, to: number]

const SHORT_SIDES = [96, 128, 160, 192] as const
const ASPECTS = [9 / 16, 2 / 3, 3 / 4, 4 / 5, 1, 5 / 4, 4 / 3, 3 / 2, 16 / 9] as const
const CRFS = [18, 20, 22, 24, 26, 28, 30] as const

/** Side of a shape's box as a part of the frame's short side: the gap between the two ranges tells the sizes apart. */
const EXTENTS: Readonly<Record<Size, Range>> = { small: [0.2, 0.25], large: [0.38, 0.44] }

/** Appearing at the end leaves two or three of 16 sampled frames. */
const APPEARS_AT: Readonly<Record<Appearance, Range>> = { beginning: [0, 0], middle: [0.4, 0.58], end: [0.8, 0.88] }

/**
 * Makes the scene of a seed.
 *
 * Two shapes never share a kind or a colour, so "the star" and "the red shape" always name one shape.
 * A shape that appears at the end stays still: two frames leave no time to move.
 */
export function createScene(seed: number, options: SceneOptions = {}): Scene {
  const rng = createRng(seed)
  const { width, height } = options.frame ?? drawFrame(rng.fork(1))
  const framesPerSecond = Math.round(rng.between(15, 30))
  const seconds = rng.between(2, 8)
  return {
    seed,
    width,
    height,
    framesPerSecond,
    frameCount: Math.round(seconds * framesPerSecond),
    crf: rng.pick(CRFS),
    background: drawBackground(rng.fork(2)),
    shapes: drawShapes(rng.fork(3), width, height),
  }
}

function drawFrame(rng: Rng): { width: number; height: number } {
  const short = rng.pick(SHORT_SIDES)
  const aspect = rng.pick(ASPECTS)
  const long = 2 * Math.round((short * Math.max(aspect, 1 / aspect)) / 2)
  return aspect >= 1 ? { width: long, height: short } : { width: short, height: long }
}

/** Draws looks, then looks for paths on which the shapes stay apart; crowded draws start over. */
function drawShapes(rng: Rng, width: number, height: number): Scene['shapes'] {
  for (;;) {
    const looks = drawLooks(rng)
    const short = Math.min(width, height)
    const boxes = looks.map((look) => ({ ...look, extent: short * rng.between(...EXTENTS[look.size]) }))
    const paths = placeShapes(rng, { width, height }, boxes)
    if (paths === undefined) continue
    const shapes = looks.flatMap((look, index) => {
      const path = paths[index]
      return path === undefined ? [] : [{ ...look, path }]
    })
    const [first, second] = shapes
    if (first !== undefined) return second === undefined ? [first] : inOrder(first, second)
  }
}

type Look = Omit<Shape, 'path'>

function drawLooks(rng: Rng): readonly Look[] {
  const kinds = shuffled(rng, KINDS)
  const colours = shuffled(rng, COLOURS)
  const two = rng.chance(0.5)
  const appears = two && rng.chance(0.6) ? rng.pick(['middle', 'end']) : 'beginning'
  const changing = appears === 'beginning' && rng.chance(0.5) ? (two && rng.chance(0.5) ? 1 : 0) : undefined

  return kinds.slice(0, two ? 2 : 1).map((kind, index): Look => {
    const when = index === 1 ? appears : 'beginning'
    const next = colours[2]
    return {
      kind,
      size: rng.pick(SIZES),
      colour: colours[index] ?? 'red',
      ...(index === changing && next !== undefined ? { change: { colour: next, at: rng.between(0.4, 0.6) } } : {}),
      appears: when,
      appearsAt: rng.between(...APPEARS_AT[when]),
      motion: when === 'end' ? 'still' : rng.pick(MOTIONS),
    }
  })
}

/** Whoever appears first comes first; shapes that start together are named in the order of `KINDS`. */
function inOrder(first: Shape, second: Shape): readonly [Shape, Shape] {
  const together = first.appears === second.appears
  return together && KINDS.indexOf(first.kind) > KINDS.indexOf(second.kind) ? [second, first] : [first, second]
}

function shuffled<T>(rng: Rng, items: readonly T[]): readonly T[] {
  return items
    .map((item) => ({ item, key: rng.next() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item)
}
