import { copyFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'

import { beforeAll, expect, test } from 'vitest'

import type { ShownMedia } from '../../src/eval/benchmark.js'
import { createPlanner } from '../../src/eval/showing.js'
import { Miniatures } from './miniature.js'

const miniatures = new Miniatures()
beforeAll(() => miniatures.draw())

test('a video is listed once for all of its questions', async () => {
  const path = join(miniatures.path, 'gone.mp4')
  copyFileSync(join(miniatures.path, 'clip.mp4'), path)
  const media = (question: string): ShownMedia => ({ kind: 'video', path, pixels: 'frame', plan: ({ pts }) => ({ indices: [0, pts.length - 1], question }) })
  const [plan, budget] = [createPlanner(new AbortController().signal), { kind: 'fixed', frames: 2 } as const]
  const first = await plan(media('What?'), budget)
  rmSync(path)
  expect((await plan(media('Who?'), budget)).indices).toEqual(first.indices)
  await expect(createPlanner(new AbortController().signal)(media('Who?'), budget)).rejects.toMatchObject({ code: 'VIDEO_NOT_FOUND' })
})
