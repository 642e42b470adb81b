import { resolve } from 'node:path'

import { lastValueFrom, take, tap } from 'rxjs'
import { describe, expect, test, vi } from 'vitest'

import { allFrames } from '../../src/sampling/all-frames.js'
import { byFps } from '../../src/sampling/by-fps.js'
import type { Sampling } from '../../src/sampling/sampling.js'
import { uniformPerSecond } from '../../src/sampling/uniform-per-second.js'
import { uniform } from '../../src/sampling/uniform.js'
import { file } from '../../src/sources/file.js'
import { expectVideoFile } from '../../src/sources/decoding/video-errors.js'
import type { Frame } from '../../src/types.js'
import { WAIT, sourceContract } from './contract.js'
import { md5, onlyStream, readAll } from './helpers/frames.js'
import { BUNNY, MediaFolder, fullDecodeHashes } from './helpers/media.js'
import { childProcesses, commandOf, isStill } from './helpers/processes.js'

const media = new MediaFolder()

function errorOf(make: () => unknown): Error {
  try {
    make()
  } catch (error) {
    return error as Error
  }
  throw new Error('It was not refused.')
}

sourceContract('file', {
  make: ({ maxFramesInFlight }) => file(BUNNY, { sampling: allFrames(), maxFramesInFlight }),
  makeBroken: () => file('/nowhere/clip.mp4'),
})

describe('file', () => {
  test('takes 16 frames evenly unless told otherwise', async () => {
    const { frames } = await readAll(file(BUNNY))
    expect(frames.map(({ index }) => index)).toEqual([0, 8, 16, 24, 33, 41, 49, 57, 66, 74, 82, 90, 99, 107, 115, 124])
    expect(frames.at(-1)).toMatchObject({ ptsMs: 4960, width: 640, height: 360 })
  })

  test.each([
    ['byFps(1)', byFps(1), [0, 25, 50, 75, 100]],
    ['uniformPerSecond()', uniformPerSecond(), [0, 31, 62, 93, 124]],
    ['uniform(3)', uniform(3), [0, 62, 124]],
  ] as const)('carries out %s', async (_, sampling, expected) => {
    const { frames } = await readAll(file(BUNNY, { sampling }))
    expect(frames.map(({ index }) => index)).toEqual(expected)
  })

  test('repeats pictures where more are wanted than there are, each with its own receipt', async () => {
    const short = media.make('short.mp4', ['-i', BUNNY, '-frames:v', '3', '-c:v', 'libx264'])
    const { frames, info } = await readAll(file(short, { sampling: uniform(6), maxFramesInFlight: 1 }))
    expect(frames.map(({ index, ptsMs }) => [index, ptsMs])).toEqual([[0, 0], [0, 0], [0, 0], [1, 40], [1, 40], [2, 80]])
    expect(info.ledger.counts()).toMatchObject({ handedOut: 6, encoded: 6 })
  })

  test('starts its time at the first picture shown, whatever the container counts from', async () => {
    const late = media.make('late.ts', ['-i', BUNNY, '-c', 'copy', '-output_ts_offset', '3600'])
    const { frames } = await readAll(file(late, { sampling: uniform(3) }))
    expect(frames.map(({ ptsMs }) => ptsMs)).toEqual([0, 2480, 4960])
  })

  test('is named after the file, without its folder', async () => {
    const { info } = await onlyStream(file(BUNNY))
    expect(info.id).toBe('bunny.mp4')
    expect(info.questions).toBeUndefined()
  })

  test('takes a name and questions', async () => {
    const { info } = await onlyStream(file(BUNNY, { id: 'rabbit', questions: ['What happens?'] }))
    expect(info).toMatchObject({ id: 'rabbit', questions: ['What happens?'] })
  })

  test('can be read twice at the same time', async () => {
    const source = file(BUNNY, { sampling: uniform(4) })
    const [first, second] = await Promise.all([readAll(source), readAll(source)])
    expect(first.frames.map(({ data }) => md5(data))).toEqual(second.frames.map(({ data }) => md5(data)))
    expect(first.info.ledger.counts().handedOut).toBe(4)
  })

  test.each([
    ['an empty path', () => file('')],
    ['an empty id', () => file(BUNNY, { id: ' ' })],
    ['questions that are no list', () => file(BUNNY, { questions: 'Who?' as unknown as [] })],
    ['an empty question', () => file(BUNNY, { questions: ['Who?', '  '] })],
    ['a question that is no text', () => file(BUNNY, { questions: [3] as unknown as string[] })],
    ['a sampling of no kind', () => file(BUNNY, { sampling: {} as Sampling })],
    ['a sampling of an unknown kind', () => file(BUNNY, { sampling: { kind: 'some' } as unknown as Sampling })],
    ['a sampling that is a text', () => file(BUNNY, { sampling: 'all' as unknown as Sampling })],
    ['no sampling at all', () => file(BUNNY, { sampling: null as unknown as Sampling })],
    ['a sampling of no frames', () => file(BUNNY, { sampling: { kind: 'uniform', frames: 0 } })],
    ['a sampling without its rate', () => file(BUNNY, { sampling: { kind: 'fps' } as Sampling })],
    ['a sampling of too few frames', () => file(BUNNY, { sampling: { kind: 'uniform-per-second', maxFrames: 0 } })],
    ['a budget of 0', () => file(BUNNY, { maxFramesInFlight: 0 })],
    ['a setting that there is not', () => file(BUNNY, { samplng: uniform(4) } as object)],
  ])('refuses %s', (_, make) => {
    expect(make).toThrow(expect.objectContaining({ code: 'SETTING_INVALID' }))
  })

  test('names every mistake at once', () => {
    const { message } = errorOf(() => file(BUNNY, { maxFrames: 3, maxFramesInFlight: 0, download: { retries: -1 } } as object))
    for (const path of ['maxFrames', 'maxFramesInFlight', 'download.retries']) expect(message).toContain(path)
  })

  test.each([
    'rtsp://admin:secret@10.0.0.7/live?token=secret',
    " RTSP://admin:my 'secret@10.0.0.7/live#secret",
    'ftp://admin:secret@example.org/clip.mp4?token=secret',
    'file:///home/me/clip.mp4?secret',
    new URL('rtsp://admin:secret@10.0.0.7/live?token=secret'),
  ])('refuses an address without showing its secrets: %#', (address) => {
    const error = errorOf(() => file(address))
    expect(error).toMatchObject({ code: 'SETTING_INVALID' })
    expect(error.message).toMatch(/:\/\/.+(a camera: use `rtsp\(…\)`|no kind of address).+Name a path, or an http\(s\) address\.$/)
    expect(error.message).not.toContain('secret')
  })

  test('shows no secret of an address that was taken for a path', async () => {
    const address = 'rtsp://admin:secret@10.0.0.7/live?token=secret'
    await expect(expectVideoFile(address)).rejects.toMatchObject({ code: 'SETTING_INVALID' })
    const error = (await expectVideoFile(resolve(address)).catch((reason: unknown) => reason)) as Error
    expect(error).toMatchObject({ code: 'VIDEO_NOT_FOUND' })
    expect(error.message).toContain('rtsp:/***@10.0.0.7/live?***')
    expect(`${error.message} ${String(error.cause)}`).not.toContain('secret')
  })

  test('reads a path that looks like an address or a pattern as the path it is', async () => {
    const odd = media.make('concat:%03d|a?b=1 \'"#.mp4', ['-i', BUNNY, '-c', 'copy', '-f', 'mp4'])
    const { frames } = await readAll(file(odd, { sampling: uniform(2) }))
    expect(frames).toHaveLength(2)
  })
})

describe('the decoder of a file', () => {
  test('stalls while nobody settles, and goes on to the end when somebody does', async () => {
    const long = media.loop('long.mp4', { source: BUNNY, times: 4 })
    const { frames, info } = await onlyStream(file(long, { sampling: allFrames(), maxFramesInFlight: 4 }))
    const seen: Frame[] = []
    const whole = new Promise<void>((resolve, reject) => {
      frames.subscribe({ next: (frame) => seen.push(frame), error: reject, complete: resolve })
    })
    // The decoder is done working, yet not done: it waits for its pipe to be read.
    let before = -1
    await vi.waitFor(() => {
      const [decoder] = childProcesses()
      const ticksBefore = before
      before = decoder?.ticks ?? -1
      expect(seen.length === 4 && isStill(decoder, { ticksBefore })).toBe(true)
    }, { ...WAIT, interval: 100 })
    expect(seen).toHaveLength(4)
    expect(childProcesses()).toHaveLength(1)

    let settled = 0
    await vi.waitFor(() => {
      for (; settled < seen.length; settled++) seen[settled]?.receipt.settle({ kind: 'encoded' })
      expect(settled).toBe(500)
    }, WAIT)
    await whole
    expect(info.ledger.counts()).toMatchObject({ handedOut: 500, encoded: 500, framesInFlight: 0 })
  })

  test.each(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)('is no short clip when ended by %s in the middle', async (signal) => {
    const long = media.loop('long.mp4', { source: BUNNY, times: 4 })
    const { frames } = await onlyStream(file(long, { sampling: allFrames(), maxFramesInFlight: 1 }))
    // At the first frame the decoder is there, and has 499 more to write than its pipe can hold.
    const endDecoder = ({ index }: Frame): void => {
      if (index > 0) return
      const [decoder, ...others] = childProcesses().filter(({ pid }) => commandOf(pid).includes('rawvideo'))
      expect(others).toEqual([])
      process.kill(decoder?.pid ?? NaN, signal)
    }
    const reading = lastValueFrom(
      frames.pipe(
        tap(endDecoder),
        tap(({ receipt }) => {
          receipt.settle({ kind: 'encoded' })
        }),
      ),
    )
    await expect(reading).rejects.toMatchObject({
      code: 'VIDEO_DECODER_FAILED',
      canRetry: true,
      message: expect.stringMatching(/^ffmpeg died while it read \/.+long\.mp4: [^\n]+\.$/) as string,
    })
  })

  test('is gone once the last frame is out', async () => {
    await readAll(file(BUNNY, { sampling: uniform(2) }))
    expect(childProcesses()).toEqual([])
  })

  test('is gone where somebody stops listening in the middle of a plan of many runs', async () => {
    const long = media.loop('minute.mp4', { source: BUNNY, times: 60 })
    const { frames } = await onlyStream(file(long, { sampling: uniform(8) }))
    await lastValueFrom(frames.pipe(take(3)))
    await vi.waitFor(() => {
      expect(childProcesses()).toEqual([])
    }, WAIT)
  })
})

test('applies the rotation a file asks for', async () => {
  const path = media.kind('rotated.mp4')
  const { frames } = await readAll(file(path, { sampling: uniform(2) }))
  expect(frames[0]).toMatchObject({ width: 360, height: 640 })
  expect(frames.map(({ data }) => md5(data))).toEqual([fullDecodeHashes(path)[0], fullDecodeHashes(path)[124]])
})
