import { expect, test } from 'vitest'

import { atIndices } from '../../src/sampling/at-indices.js'
import { file } from '../../src/sources/file.js'
import { readAll } from '../sources/helpers/frames.js'
import { BUNNY } from '../sources/helpers/media.js'

test('a file gives the frames at these places', async () => {
  const { frames } = await readAll(file(BUNNY, { sampling: atIndices([124, 3, 60, 60]) }))
  expect(frames.map(({ index }) => index)).toEqual([3, 60, 60, 124])
})

test('with keyframes only, the nearest ones', async () => {
  const { frames } = await readAll(file(BUNNY, { sampling: atIndices([0, 1, 2], { keyframesOnly: true }) }))
  expect(frames.map(({ index }) => index)).toEqual([0])
})

test('a place behind the end fails the stream', async () => {
  const reading = readAll(file(BUNNY, { sampling: atIndices([125]) }))
  await expect(reading).rejects.toMatchObject({ code: 'SETTING_INVALID' })
})

test.each([[[]], [[-1]], [[0.5]], [['1']], [7]])('refuses %j', (indices) => {
  expect(() => atIndices(indices as number[])).toThrow(expect.objectContaining({ code: 'SETTING_INVALID' }))
})
