import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { encodeScene } from '../../../scripts/demo-model/encode.js'
import { createScene } from '../../../scripts/demo-model/scene.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'demo-model-'))
})
afterAll(() => rm(folder, { recursive: true }))

test('writes a small mp4', async () => {
  const file = join(folder, 'clip.mp4')
  await encodeScene(file, createScene(1))

  expect((await readFile(file)).subarray(4, 8).toString()).toBe('ftyp')
  expect((await stat(file)).size).toBeLessThan(500_000)
})

test('says what to do when there is no ffmpeg', async () => {
  await expect(encodeScene(join(folder, 'none.mp4'), createScene(1), '/nowhere/ffmpeg')).rejects.toThrow('set FFMPEG_PATH')
})

test('tells ffmpeg’s own words when it fails', async () => {
  await expect(encodeScene(join(folder, 'no-such-folder', 'clip.mp4'), createScene(1))).rejects.toThrow(/No such file/)
})
