import { describe, expect, onTestFinished, test } from 'vitest'

import { type FfmpegJob, startFfmpeg } from '../../../src/sources/decoding/ffmpeg.js'
import { BUNNY } from '../helpers/media.js'
import { childProcesses, commandOf } from '../helpers/processes.js'

const RAW = ['-map', '0:V:0', '-pix_fmt', 'rgb24', '-f', 'rawvideo']

function start(input: { path: string } | { network: { url: string; protocols: string[]; format: string } }) {
  const run = startFfmpeg({ ...input, inputOptions: [], outputOptions: RAW } satisfies FfmpegJob)
  onTestFinished(() => {
    run.kill()
  })
  return run
}

async function endOf(run: ReturnType<typeof start>) {
  let length = 0
  for await (const chunk of run.output) length += chunk.length
  return { length, ...(await run.ended) }
}

describe('ffmpeg on an address', () => {
  test.each([
    ['file', `file:${BUNNY}`],
    ['no scheme', BUNNY],
    ['concat', `concat:${BUNNY}|${BUNNY}`],
    ['http', 'http://127.0.0.1:1/clip.mp4'],
  ])('opens nothing by a protocol that is not named: %s', async (_, url) => {
    const { length, exitCode } = await endOf(start({ network: { url, protocols: ['rtsp', 'tcp'], format: 'rtsp' } }))
    expect(length).toBe(0)
    expect(exitCode).toBeGreaterThan(0)
  })
})

test('ffmpeg on a file may still open files alone, in containers alone', async () => {
  const run = start({ path: BUNNY })
  const bytes = run.output[Symbol.asyncIterator]()
  await bytes.next()
  const command = commandOf(childProcesses()[0]?.pid ?? 0)
  expect(command[command.indexOf('-protocol_whitelist') + 1]).toBe('file')
  expect(command[command.indexOf('-format_whitelist') + 1]?.split(',')).not.toContain('rtsp')
  expect(command[command.indexOf('-i') + 1]).toBe(`file:${BUNNY}`)
})
