import { expect, test } from 'vitest'
import { centreAt } from '../../../scripts/demo-model/motion.js'
import { createScene } from '../../../scripts/demo-model/scene.js'
import type { Scene, Shape } from '../../../scripts/demo-model/scene.js'
import { APPEARANCES, COLOURS, KINDS, MOTIONS, SIZES } from '../../../scripts/demo-model/traits.js'

const scenes = Array.from({ length: 2000 }, (_, seed) => createScene(seed))
const shapes = scenes.flatMap(({ shapes }): readonly Shape[] => shapes)

function share<T>(items: readonly T[], holds: (item: T) => boolean): number {
  return items.filter(holds).length / items.length
}

test('a seed always gives the same scene', () => {
  expect(createScene(123)).toEqual(createScene(123))
  expect(createScene(123)).not.toEqual(createScene(124))
})

test('keeps to the promised geometry', () => {
  for (const { width, height, framesPerSecond, frameCount } of scenes) {
    expect(width % 2).toBe(0)
    expect(height % 2).toBe(0)
    expect(width / height).toBeGreaterThan(9 / 16 - 0.02)
    expect(width / height).toBeLessThan(16 / 9 + 0.02)
    expect(framesPerSecond).toBeGreaterThanOrEqual(15)
    expect(framesPerSecond).toBeLessThanOrEqual(30)
    expect(frameCount / framesPerSecond).toBeGreaterThan(1.9)
    expect(frameCount / framesPerSecond).toBeLessThan(8.1)
  }
})

test.each([
  ['kind', KINDS, (shape: Shape) => shape.kind],
  ['colour', COLOURS, (shape: Shape) => shape.colour],
  ['size', SIZES, (shape: Shape) => shape.size],
] as const)('every %s is about as common as the others', (_, values, valueOf) => {
  for (const value of values) {
    expect(share(shapes, (shape) => valueOf(shape) === value)).toBeCloseTo(1 / values.length, 1)
  }
})

test('shapes that have the time move each way equally often', () => {
  const movers = shapes.filter(({ appears }) => appears !== 'end')
  for (const motion of MOTIONS) expect(share(movers, (shape) => shape.motion === motion)).toBeCloseTo(0.2, 1)
})

test('half of the scenes have a second shape, which comes at any of the three times', () => {
  const seconds = scenes.flatMap(({ shapes: [, second] }) => (second === undefined ? [] : [second]))

  expect(seconds.length / scenes.length).toBeCloseTo(0.5, 1)
  for (const when of APPEARANCES) expect(share(seconds, ({ appears }) => appears === when)).toBeGreaterThan(0.25)
})

test('a shape never changes to its own colour, nor two shapes share a kind or a colour', () => {
  for (const { shapes } of scenes) {
    const colours = shapes.flatMap((shape) => [shape.colour, ...(shape.change === undefined ? [] : [shape.change.colour])])
    expect(new Set(colours).size).toBe(colours.length)
    expect(new Set(shapes.map(({ kind }) => kind)).size).toBe(shapes.length)
  }
})

test('shapes stay in the picture and apart, and move as far as they say', () => {
  for (const scene of scenes.slice(0, 200)) {
    for (let time = 0; time <= 1; time += 0.1) checkMoment(scene, time)
    for (const shape of scene.shapes) checkWay(scene, shape)
  }
})

function checkMoment(scene: Scene, time: number): void {
  const boxes = scene.shapes
    .filter(({ appearsAt }) => time >= appearsAt)
    .map(({ path, appearsAt }) => ({ centre: centreAt(path, appearsAt, time), half: path.extent / 2 }))
  for (const { centre, half } of boxes) {
    expect(Math.min(...centre)).toBeGreaterThan(half)
    expect(centre[0]).toBeLessThan(scene.width - half)
    expect(centre[1]).toBeLessThan(scene.height - half)
  }
  const [first, second] = boxes
  if (first === undefined || second === undefined) return
  const away = Math.max(Math.abs(first.centre[0] - second.centre[0]), Math.abs(first.centre[1] - second.centre[1]))
  expect(away).toBeGreaterThan(first.half + second.half)
}

function checkWay({ width, height }: Scene, { motion, path }: Shape): void {
  const across = (path.to[0] - path.from[0]) / width
  const down = (path.to[1] - path.from[1]) / height
  const way = { left: -across, right: across, up: -down, down, still: 1 }[motion]
  const aside = { left: down, right: down, up: across, down: across, still: Math.abs(across) + Math.abs(down) }[motion]
  expect(way).toBeGreaterThan(0.3)
  expect(aside).toBe(0)
}
