import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'

import { expect, test } from 'vitest'

import { findFfmpeg } from '../../../src/sources/decoding/ffmpeg-binary.js'
import { MediaFolder } from '../helpers/media.js'

const folder = new MediaFolder().path

function program(place: string, mode = 0o755): string {
  mkdirSync(join(folder, place), { recursive: true })
  const path = join(folder, place, 'ffmpeg')
  writeFileSync(path, '#!/bin/sh\n')
  chmodSync(path, mode)
  return path
}

const named = program('named')
const bundled = program('bundled')
const onPath = program('path')
const missing = join(folder, 'nothing', 'ffmpeg')
const PATH = ['/nowhere', join(folder, 'path')].join(delimiter)

test.each([
  ['FFMPEG_PATH before all', { FFMPEG_PATH: named, PATH }, bundled, named],
  ['ffmpeg-static before PATH', { PATH }, bundled, bundled],
  ['PATH where ffmpeg-static was not downloaded', { PATH }, missing, onPath],
  ['PATH where FFMPEG_PATH is empty', { FFMPEG_PATH: '', PATH }, missing, onPath],
])('takes %s', (_, environment, bundledPath, expected) => {
  expect(findFfmpeg({ environment, bundledPath })).toBe(expected)
})

test.each([
  ['none is there', { PATH: '/nowhere' }, /FFMPEG_PATH, ffmpeg-static or PATH.+apt-get install ffmpeg/],
  ['there is no PATH', {}, /apt-get install ffmpeg/],
  ['FFMPEG_PATH names nothing, whatever else there is', { FFMPEG_PATH: missing, PATH }, /FFMPEG_PATH is .+nothing/],
  ['FFMPEG_PATH names a folder', { FFMPEG_PATH: folder, PATH }, /not a program/],
])('fails where %s', (_, environment, message) => {
  const find = () => findFfmpeg({ environment, bundledPath: missing })
  expect(find).toThrow(expect.objectContaining({ code: 'FFMPEG_NOT_FOUND' }))
  expect(find).toThrow(message)
})

test('finds the one the tests run on', () => {
  expect(findFfmpeg()).toMatch(/ffmpeg/)
})
