import { describe, expect, test } from 'vitest'

import { greatestDifference, pictureGrid } from '../../src/operators/picture-grid.js'

interface Box {
  readonly x: number
  readonly y: number
  readonly side: number
}

const NO_BOX: Box = { x: 0, y: 0, side: 0 }

/** A grey picture with noise, and a brighter box in it. */
function picture({ width = 640, height = 360, noise = 0, seed = 1, box = NO_BOX, by = 60 } = {}) {
  const data = new Uint8Array(width * height * 3)
  let state = seed
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const isInBox = x >= box.x && x < box.x + box.side && y >= box.y && y < box.y + box.side
      for (let channel = 0; channel < 3; channel++) {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0
        const grain = Math.round(((state >>> 16) / 65_535 - 0.5) * 2 * noise)
        data[(y * width + x) * 3 + channel] = 128 + grain + (isInBox ? by : 0)
      }
    }
  }
  return { data, width, height }
}

const differenceOf = (one: Parameters<typeof picture>[0], other: Parameters<typeof picture>[0]) =>
  greatestDifference(pictureGrid(picture(one)), pictureGrid(picture(other)))

describe('the greatest difference of two pictures', () => {
  test('is 0 of the same', () => {
    expect(differenceOf({ noise: 20 }, { noise: 20 })).toBe(0)
  })

  test("stays below 4 with a sensor's noise", () => {
    const differences = [2, 3, 4, 5].map((seed) => differenceOf({ noise: 8 }, { noise: 8, seed }))
    expect(Math.max(...differences)).toBeLessThan(4)
    expect(Math.min(...differences)).toBeGreaterThan(0)
  })

  test.each([
    ['in a corner', { x: 632, y: 352, side: 8 }],
    ['across four cells', { x: 316, y: 176, side: 12 }],
  ])('is above 4 with something small %s, also in noise', (_, box) => {
    expect(differenceOf({ noise: 8 }, { noise: 8, seed: 9, box })).toBeGreaterThan(4)
  })

  test('counts levels', () => {
    expect(differenceOf({}, { box: { x: 0, y: 0, side: 640 }, by: 3 })).toBeCloseTo(3, 4)
  })

  test('sees another colour of the same brightness', () => {
    const [red, green] = [[150, 0, 0], [0, 77, 0]].map((colour) => {
      const data = Uint8Array.from({ length: 64 * 64 * 3 }, (_unused, place) => colour[place % 3] ?? 0)
      return pictureGrid({ data, width: 64, height: 64 })
    })
    if (red === undefined || green === undefined) throw new Error('There are two.')
    expect(greatestDifference(red, green)).toBeGreaterThan(100)
  })

  test('is without end where sizes differ', () => {
    expect(differenceOf({}, { width: 360, height: 640 })).toBe(Infinity)
  })

  test.each([[1, 1], [2, 2], [3, 50], [33, 31], [1920, 8]])('is known of %i x %i pixels, too', (width, height) => {
    expect(differenceOf({ width, height }, { width, height })).toBe(0)
    expect(differenceOf({ width, height }, { width, height, box: { x: 0, y: 0, side: 2000 }, by: 10 })).toBeCloseTo(10, 4)
  })
})
