import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { lastValueFrom, map, toArray } from 'rxjs'
import { beforeAll, expect, onTestFinished, test, vi } from 'vitest'

import type { ShownMedia } from '../../src/eval/benchmark.js'
import { createPlanner } from '../../src/eval/showing.js'
import { findFfmpeg } from '../../src/sources/decoding/ffmpeg-binary.js'
import { Miniatures } from './miniature.js'

const miniatures = new Miniatures()
beforeAll(() => miniatures.draw())

/** Uses a binary that is the real one and notes what it is told; gives what it was told each time. */
function noteRuns(): () => readonly string[] {
  const [binary, diary] = [join(miniatures.path, 'ffmpeg'), join(miniatures.path, 'diary')]
  writeFileSync(diary, '')
  writeFileSync(binary, `#!/bin/sh\necho "$*" >> '${diary}'\nexec '${findFfmpeg()}' "$@"\n`, { mode: 0o755 })
  vi.stubEnv('FFMPEG_PATH', binary)
  onTestFinished(() => {
    vi.unstubAllEnvs()
  })
  return () => readFileSync(diary, 'utf8').trim().split('\n')
}

test('a video is listed once, whatever frames its questions show', async () => {
  const runs = noteRuns()
  const [plan, budget] = [createPlanner(new AbortController().signal), { kind: 'fixed', frames: 2 } as const]
  const path = join(miniatures.path, 'clip.mp4')
  for (const indices of [[0, 3], [1, 1]]) {
    const { frames } = await plan({ kind: 'video', path, pixels: 'frame', plan: () => ({ indices, question: 'What?' }) }, budget)
    expect(await lastValueFrom(frames().pipe(map(({ index }) => index), toArray()))).toEqual(indices)
  }
  expect(runs().filter((words) => words.includes('framecrc'))).toHaveLength(1)
})

test('a video is planned for all of its questions by one listing', async () => {
  const path = join(miniatures.path, 'gone.mp4')
  copyFileSync(join(miniatures.path, 'clip.mp4'), path)
  const media = (question: string): ShownMedia => ({ kind: 'video', path, pixels: 'frame', plan: ({ pts }) => ({ indices: [0, pts.length - 1], question }) })
  const [plan, budget] = [createPlanner(new AbortController().signal), { kind: 'fixed', frames: 2 } as const]
  const first = await plan(media('What?'), budget)
  rmSync(path)
  expect((await plan(media('Who?'), budget)).indices).toEqual(first.indices)
  await expect(createPlanner(new AbortController().signal)(media('Who?'), budget)).rejects.toMatchObject({ code: 'VIDEO_NOT_FOUND' })
})
