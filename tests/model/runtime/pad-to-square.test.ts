import { expect, test } from 'vitest'

import { padToSquare } from '../../../src/model/runtime/pad-to-square.js'

const COLOUR = [1, 2, 3]

/** The picture's first channel, row by row: 0 is the colour around it. */
function rows(width: number, height: number): readonly string[] {
  const data = Uint8Array.from({ length: width * height * 3 }, (_, index) => 10 + Math.floor(index / 3))
  const square = padToSquare({ data, width, height }, COLOUR)
  expect([square.width, square.data.length]).toEqual([square.height, square.width * square.height * 3])
  return Array.from({ length: square.height }, (_, y) =>
    Array.from({ length: square.width }, (__, x) => square.data.subarray((y * square.width + x) * 3).subarray(0, 3).join()).join(' '))
}

const around = COLOUR.join()
const pixel = (value: number): string => [value, value, value].join()

test('a wide picture lies in the middle; the odd row more is below', () => {
  const line = [around, around, around, around].join(' ')
  expect(rows(4, 1)).toEqual([line, [10, 11, 12, 13].map(pixel).join(' '), line, line])
})

test('a tall picture lies in the middle; the odd column more is at the right', () => {
  expect(rows(1, 2)).toEqual([[pixel(10), around].join(' '), [pixel(11), around].join(' ')])
  expect(rows(1, 3)).toEqual([10, 11, 12].map((value) => [around, pixel(value), around].join(' ')))
})

test('a square picture is left as it is', () => {
  const picture = { data: new Uint8Array(12), width: 2, height: 2, kind: 'picture' } as const
  expect(padToSquare(picture, COLOUR)).toBe(picture)
})

test('it keeps its kind', () => {
  expect(padToSquare({ data: new Uint8Array(6), width: 2, height: 1, kind: 'picture' }, COLOUR).kind).toBe('picture')
})

test('one whose square would not fit into memory is FRAME_TOO_LARGE, said before any is taken', () => {
  const strip = { data: new Uint8Array(20_000 * 3), width: 20_000, height: 1 }
  expect(() => padToSquare(strip, COLOUR)).toThrow(expect.objectContaining({ code: 'FRAME_TOO_LARGE', message: expect.stringContaining('20000 x 1') as unknown }))
})
