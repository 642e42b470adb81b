import { createHash } from 'node:crypto'

import { describe, expect, test } from 'vitest'

import { linspaceIndices } from '../../src/sampling/linspace.js'
import { readReferenceIndices } from './reference-indices.js'

describe('linspaceIndices', () => {
  test("equals numpy's linspace for every reference pair", () => {
    const { uniform } = readReferenceIndices()
    expect(uniform.length).toBeGreaterThanOrEqual(10_000)

    const wrong = uniform.filter(([total, count, expected]) => {
      const indices = linspaceIndices(total, count)
      const made = typeof expected === 'string' ? sha256(indices.join(',')) : indices.join(',')
      return made !== String(expected)
    })
    expect(wrong).toEqual([])
  })

  test('takes the first frame alone where one is wanted', () => {
    expect(linspaceIndices(125, 1)).toEqual([0])
  })

  test('repeats frames where there are fewer than wanted', () => {
    expect(linspaceIndices(3, 6)).toEqual([0, 0, 0, 1, 1, 2])
    expect(linspaceIndices(1, 4)).toEqual([0, 0, 0, 0])
  })

  test('differs from whole-number arithmetic, as numpy does', () => {
    const wholeNumbers = Array.from({ length: 64 }, (_, place) => Math.floor((place * 153) / 63))
    expect(linspaceIndices(154, 64)).not.toEqual(wholeNumbers)
  })
})

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
