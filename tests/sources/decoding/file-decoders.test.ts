import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { afterAll, expect, test, vi } from 'vitest'

import { uniform } from '../../../src/sampling/uniform.js'
import { findFfmpeg } from '../../../src/sources/decoding/ffmpeg-binary.js'
import { file } from '../../../src/sources/file.js'
import { readAll } from '../helpers/frames.js'
import { BUNNY, MediaFolder } from '../helpers/media.js'

const media = new MediaFolder()
const [binary, diary] = [join(media.path, 'ffmpeg'), join(media.path, 'diary')]
writeFileSync(diary, '')
writeFileSync(binary, `#!/bin/sh\necho + >> '${diary}'\n'${findFfmpeg()}' "$@"\ncode=$?\necho - >> '${diary}'\nexit $code\n`, { mode: 0o755 })
vi.stubEnv('FFMPEG_PATH', binary)
// Read once in a process, when its first file is.
vi.stubEnv('TINYLLAVA_STREAM_DECODERS', '2')
afterAll(() => {
  vi.unstubAllEnvs()
})

/** Most processes at the same time. */
function mostAtOnce(): number {
  let [running, most] = [0, 0]
  for (const event of readFileSync(diary, 'utf8').trim().split('\n')) {
    running += event === '+' ? 1 : -1
    most = Math.max(most, running)
  }
  return most
}

test('all files of a process share the places for decoders, also while they are listed', async () => {
  const files = Array.from({ length: 6 }, (_, place) => file(BUNNY, { id: `clip ${place}`, sampling: uniform(4) }))
  const read = await Promise.all(files.map(readAll))
  expect(read.map(({ frames }) => frames.map(({ index }) => index))).toEqual(files.map(() => [0, 41, 82, 124]))
  expect(mostAtOnce()).toBe(2)
})
