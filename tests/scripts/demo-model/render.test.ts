import { expect, test } from 'vitest'
import { centreAt } from '../../../scripts/demo-model/motion.js'
import { colourAt, createRenderer, isVisible, timeOf } from '../../../scripts/demo-model/render.js'
import { createScene } from '../../../scripts/demo-model/scene.js'
import type { Scene } from '../../../scripts/demo-model/scene.js'

const scenes = Array.from({ length: 200 }, (_, seed) => createScene(seed))

function pixelAt(scene: Scene, pixels: Uint8Array, x: number, y: number): readonly number[] {
  const offset = (Math.floor(y) * scene.width + Math.floor(x)) * 3
  return [...pixels.subarray(offset, offset + 3)]
}

function spread(pixel: readonly number[]): number {
  return Math.max(...pixel) - Math.min(...pixel)
}

test('draws the same frame twice', () => {
  const scene = createScene(2)
  const render = createRenderer(scene)

  const frame = Buffer.from(render(3))
  expect(frame.equals(render(3))).toBe(true)
  expect(frame.equals(createRenderer(scene)(3))).toBe(true)
  expect(frame.equals(render(scene.frameCount - 1))).toBe(false)
  expect(render(0)).toHaveLength(scene.width * scene.height * 3)
})

test('shapes stand out in their colours, and aren’t there before they appear', () => {
  for (const scene of scenes) {
    const render = createRenderer(scene)
    for (const frame of [0, Math.floor(scene.frameCount / 2), scene.frameCount - 1]) {
      const time = timeOf(scene, frame)
      const pixels = render(frame)
      for (const shape of scene.shapes.filter((each) => isVisible(each, time))) {
        const centre = centreAt(shape.path, shape.appearsAt, time)
        expect(spread(pixelAt(scene, pixels, ...centre)), `seed ${scene.seed} frame ${frame}`).toBeGreaterThan(100)
      }
      // A muted background: nothing else in the picture's corner.
      expect(spread(pixelAt(scene, pixels, 0, 0))).toBeLessThan(80)
    }
  }
})

test('a change of colour happens in the middle', () => {
  const changes = scenes.flatMap(({ shapes }) => shapes.flatMap((shape) => (shape.change === undefined ? [] : [{ shape, next: shape.change.colour }])))

  expect(changes.length).toBeGreaterThan(20)
  for (const { shape, next } of changes) {
    expect(colourAt(shape, 0.35)).toBe(shape.colour)
    expect(colourAt(shape, 0.65)).toBe(next)
  }
})
