import { expect, test } from 'vitest'

import { type ContainerHeader, ContainerHeaderReader } from '../../../src/sources/decoding/container-header.js'

function read(...lines: string[]): ContainerHeader {
  const reader = new ContainerHeaderReader()
  for (const line of lines) reader.add(line)
  return reader.header
}

const VIDEO = '[info]   Stream #0:0[0x1](und): Video: h264 (High) (avc1 / 0x31637661), yuv420p, 640x360 [SAR 1:1 DAR 16:9]'

test('reads format, length, start and rate', () => {
  const header = read(
    "[info] Input #0, mov,mp4,m4a,3gp,3g2,mj2, from 'file:/clip.mp4':",
    '[info]   Duration: 01:02:03.45, start: 1.480000, bitrate: 678 kb/s',
    `${VIDEO}, 675 kb/s, 29.97 fps, 25 tbr, 12800 tbn (default)`,
  )
  expect(header).toEqual({
    format: 'mov,mp4,m4a,3gp,3g2,mj2',
    startSeconds: 1.48,
    durationSeconds: 3723.45,
    printedFps: 29.97,
    printedBaseRate: 25,
  })
})

test('knows nothing of what is not said', () => {
  const nothing = { format: '', startSeconds: 0, durationSeconds: undefined, printedFps: undefined, printedBaseRate: undefined }
  expect(read()).toEqual(nothing)
  expect(read('[info]   Duration: N/A, bitrate: N/A', `${VIDEO}, 25 tbn`)).toEqual(nothing)
})

test('reads a start below 0 and one without a length', () => {
  expect(read('[info]   Duration: N/A, start: -0.080000, bitrate: N/A').startSeconds).toBe(-0.08)
})

test('reads rates of thousands', () => {
  expect(read(`${VIDEO}, 1k fps, 90k tbr`)).toMatchObject({ printedFps: 1000, printedBaseRate: 90_000 })
})

test('takes the first video that is not a cover picture, and nothing of the output', () => {
  const header = read(
    '[info]   Stream #0:0: Video: png, rgb24, 10x10, 90k fps, 90k tbr (attached pic)',
    `${VIDEO}, 24 fps, 24 tbr`,
    `${VIDEO}, 50 fps, 50 tbr`,
  )
  expect(header).toMatchObject({ printedFps: 24, printedBaseRate: 24 })
})
