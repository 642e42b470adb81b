import { lastValueFrom } from 'rxjs'
import { expect, test } from 'vitest'

import { synthetic } from '../../src/sources/synthetic.js'
import { sourceContract } from './contract.js'
import { md5, onlyStream, readAll } from './helpers/frames.js'

sourceContract('synthetic', {
  make: ({ maxFramesInFlight }) => synthetic({ frames: 24, maxFramesInFlight }),
  makeBroken: () => synthetic({ failAt: 3 }),
})

test('numbers its frames in the pixels and in time', async () => {
  const { frames } = await readAll(synthetic({ frames: 300, fps: 30, width: 2, height: 1 }))
  expect(frames).toHaveLength(300)
  expect([...(frames[259]?.data ?? [])].slice(0, 4)).toEqual([0, 0, 1, 3])
  expect(frames[259]).toMatchObject({ index: 259, ptsMs: 8633.333 })
})

test('makes the same pictures from the same seed, and others from another', async () => {
  const hashesOf = async (seed: number) => {
    const { frames } = await readAll(synthetic({ frames: 5, seed }))
    return frames.map(({ data }) => md5(data))
  }
  const hashes = await hashesOf(7)
  expect(await hashesOf(7)).toEqual(hashes)
  expect(await hashesOf(8)).not.toEqual(hashes)
  expect(new Set(hashes).size).toBe(5)
})

test('carries its name, its questions and whether it is live', async () => {
  const { info } = await onlyStream(synthetic({ id: 'door', isLive: true, questions: ['Who?'] }))
  expect(info).toMatchObject({ id: 'door', isLive: true, questions: ['Who?'] })
})

test('fails where it is told to, after the frames before', async () => {
  const { frames, info } = await onlyStream(synthetic({ failAt: 3 }))
  await expect(lastValueFrom(frames)).rejects.toMatchObject({ code: 'VIDEO_DECODER_FAILED', canRetry: true })
  expect(info.ledger.counts().handedOut).toBe(3)
})

test.each([{ frames: 0 }, { fps: 0 }, { width: 1 }, { height: 0 }, { seed: -1 }, { id: '' }, { maxFramesInFlight: 0 }, { failAt: -1 }])(
  'refuses %o',
  (options) => {
    expect(() => synthetic(options)).toThrow(expect.objectContaining({ code: 'SETTING_INVALID' }))
  },
)
