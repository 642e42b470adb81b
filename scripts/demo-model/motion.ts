import type { Rng } from './rng.js'
import type { Motion } from './traits.js'

/** A straight way of a shape's centre, in pixels. */
export interface Path {
  /** Side of the shape's box. */
  readonly extent: number
  readonly from: readonly [x: number, y: number]
  readonly to: readonly [x: number, y: number]
}

/** What has to be known of a shape to place it. */
export interface Mover {
  readonly motion: Motion
  readonly appearsAt: number
  readonly extent: number
}

interface Frame {
  readonly width: number
  readonly height: number
}

/** Shortest and longest way, as a part of the frame's side along which the shape moves. */
const TRAVEL = [0.32, 0.7] as const
/** Free space at the frame's edge and between shapes, as a part of the short side. */
const MARGIN = 0.03
const TRIES = 80
const CHECKED_TIMES = 16

/** Where the centre is at a fraction of the clip. Shapes begin to move when they appear and arrive at the last frame. */
export function centreAt(path: Path, appearsAt: number, time: number): [x: number, y: number] {
  const done = Math.min(1, Math.max(0, (time - appearsAt) / (1 - appearsAt)))
  const [fromX, fromY] = path.from
  const [toX, toY] = path.to
  return [fromX + (toX - fromX) * done, fromY + (toY - fromY) * done]
}

/** Finds paths inside the frame on which no two shapes come near each other; undefined when none was found. */
export function placeShapes(rng: Rng, frame: Frame, movers: readonly Mover[]): readonly Path[] | undefined {
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const paths = movers.map((mover) => drawPath(rng, frame, mover))
    if (stayApart(frame, movers, paths)) return paths
  }
  return undefined
}

function drawPath(rng: Rng, { width, height }: Frame, { motion, extent }: Mover): Path {
  const edge = extent / 2 + MARGIN * Math.min(width, height)
  const [fromX, toX] = drawWay(rng, width, edge, motion === 'left' ? -1 : motion === 'right' ? 1 : 0)
  const [fromY, toY] = drawWay(rng, height, edge, motion === 'up' ? -1 : motion === 'down' ? 1 : 0)
  return { extent, from: [fromX, fromY], to: [toX, toY] }
}

/** Start and end along one axis. */
function drawWay(rng: Rng, length: number, edge: number, sign: -1 | 0 | 1): [from: number, to: number] {
  const room = length - 2 * edge
  const [shortest, longest] = TRAVEL
  const travel = sign === 0 ? 0 : rng.between(shortest * length, Math.min(room, longest * length))
  const low = edge + rng.between(0, room - travel)
  return sign < 0 ? [low + travel, low] : [low, low + travel]
}

function stayApart(frame: Frame, movers: readonly Mover[], paths: readonly Path[]): boolean {
  const [first, second] = movers
  const [firstPath, secondPath] = paths
  if (first === undefined || second === undefined || firstPath === undefined || secondPath === undefined) return true

  const apart = (first.extent + second.extent) / 2 + MARGIN * Math.min(frame.width, frame.height)
  const visibleFrom = Math.max(first.appearsAt, second.appearsAt)
  for (let step = 0; step <= CHECKED_TIMES; step += 1) {
    const time = visibleFrom + ((1 - visibleFrom) * step) / CHECKED_TIMES
    const [x1, y1] = centreAt(firstPath, first.appearsAt, time)
    const [x2, y2] = centreAt(secondPath, second.appearsAt, time)
    if (Math.max(Math.abs(x1 - x2), Math.abs(y1 - y2)) < apart) return false
  }
  return true
}
