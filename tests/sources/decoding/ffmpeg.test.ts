import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import ffmpeg from 'fluent-ffmpeg'
import { describe, expect, onTestFinished, test, vi } from 'vitest'

import { type FfmpegJob, type FfmpegRun, startFfmpeg } from '../../../src/sources/decoding/ffmpeg.js'
import { findFfmpeg } from '../../../src/sources/decoding/ffmpeg-binary.js'
import { file } from '../../../src/sources/file.js'
import { WAIT } from '../contract.js'
import { readAll } from '../helpers/frames.js'
import { BUNNY, MediaFolder } from '../helpers/media.js'
import { childProcesses, isStill } from '../helpers/processes.js'

const folder = new MediaFolder().path
const RAW = ['-map', '0:V:0', '-pix_fmt', 'rgb24', '-f', 'rawvideo']

function jobOf(options: Partial<FfmpegJob> = {}): FfmpegJob {
  return { path: BUNNY, inputOptions: [], outputOptions: RAW, ...options }
}

async function lengthOf(output: AsyncIterable<Uint8Array>): Promise<number> {
  let length = 0
  for await (const chunk of output) length += chunk.length
  return length
}

/** Starts ffmpeg and sees to its end, so that a test that fails doesn't take others with it. */
function start(job: FfmpegJob): FfmpegRun {
  const run = startFfmpeg(job)
  onTestFinished(() => {
    run.kill()
  })
  return run
}

function useBinary(path: string): void {
  vi.stubEnv('FFMPEG_PATH', path)
  onTestFinished(() => {
    vi.unstubAllEnvs()
  })
}

/** Uses a binary that is the real one, except that it fails in these words where it is handed a word. */
function useFailing(
  name: string,
  { word, lines, exitCode }: { word: string; lines: readonly string[]; exitCode: number },
): string {
  const binary = join(folder, name)
  const complain = lines.map((line) => `echo "${line}" >&2`).join('; ')
  const check = `for word in "$@"; do if [ "$word" = ${word} ]; then ${complain}; exit ${exitCode}; fi; done`
  writeFileSync(binary, `#!/bin/sh\n${check}\nexec '${findFfmpeg()}' "$@"\n`, { mode: 0o755 })
  useBinary(binary)
  return binary
}

const allGone = () =>
  vi.waitFor(() => {
    expect(childProcesses()).toEqual([])
  }, WAIT)

describe('startFfmpeg', () => {
  test('gives all of stdout and a clean end', async () => {
    const { output, ended } = start(jobOf())
    expect(await lengthOf(output)).toBe(125 * 640 * 360 * 3)
    expect(await ended).toMatchObject({ exitCode: 0 })
    expect(childProcesses()).toEqual([])
  })

  test('tells how ffmpeg failed, in its own last lines', async () => {
    const { output, ended } = start(jobOf({ path: '/nowhere.mp4' }))
    expect(await lengthOf(output)).toBe(0)
    const { exitCode, lastLines } = await ended
    expect(exitCode).toBeGreaterThan(0)
    expect(lastLines.join('\n')).toContain('No such file or directory')
  })

  test('keeps the last 20 lines, and tells each as it comes', async () => {
    const lines: string[] = []
    const noisy = ['-vf', 'showinfo', ...RAW]
    const { output, ended } = start(jobOf({ outputOptions: noisy, onLine: (line) => lines.push(line) }))
    await lengthOf(output)
    const { lastLines } = await ended
    expect(lines.length).toBeGreaterThan(125)
    expect(lastLines).toEqual(lines.slice(-20))
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(300)
  })

  test('shows no login in a line', async () => {
    const { output, ended } = start(jobOf({ path: '/nowhere/rtsp://admin:secret@camera/live' }))
    await lengthOf(output)
    const text = (await ended).lastLines.join('\n')
    expect(text).toContain('rtsp://***@camera')
    expect(text).not.toContain('secret')
  })

  test('shows no login in a line that is cut, either', async () => {
    const { output, ended } = start(jobOf({ path: `/nowhere/rtsp://admin:${'secret'.repeat(60)}@camera/live` }))
    await lengthOf(output)
    const text = (await ended).lastLines.join('\n')
    expect(text).toContain('rtsp://***')
    expect(text).not.toContain('secret')
  })

  test('waits while nobody reads', async () => {
    const run = start(jobOf())
    let before = -1
    await vi.waitFor(() => {
      const [decoder] = childProcesses()
      const ticksBefore = before
      before = decoder?.ticks ?? -1
      expect(isStill(decoder, { ticksBefore })).toBe(true)
    }, { ...WAIT, interval: 100 })
    expect(childProcesses()).toHaveLength(1)
    run.kill()
    await allGone()
  })

  test('leaves no process and no zombie behind when killed while it runs', async () => {
    const run = start(jobOf())
    const bytes = run.output[Symbol.asyncIterator]()
    expect((await bytes.next()).done).toBe(false)
    expect(childProcesses()).toHaveLength(1)
    run.kill()
    await allGone()
    await run.ended
  })

  test('leaves no process behind when killed before it has started', async () => {
    const run = start(jobOf())
    run.kill()
    await expect(lengthOf(run.output)).rejects.toMatchObject({ code: 'ABORTED' })
    await run.ended
    await allGone()
  })

  test('may be killed again, and after its end', async () => {
    const run = start(jobOf())
    await lengthOf(run.output)
    await run.ended
    run.kill()
    run.kill()
    expect(await run.ended).toMatchObject({ exitCode: 0 })
  })

  test('fails at once where there is no ffmpeg', () => {
    useBinary('/nowhere/ffmpeg')
    expect(() => start(jobOf())).toThrow(expect.objectContaining({ code: 'FFMPEG_NOT_FOUND' }))
  })

  test('fails where the binary is none for this system', async () => {
    const binary = join(folder, 'binary')
    writeFileSync(binary, '#!/nowhere/interpreter\n', { mode: 0o755 })
    useBinary(binary)
    const { ended } = start(jobOf())
    await expect(ended).rejects.toMatchObject({ code: 'FFMPEG_NOT_FOUND' })
    await expect(readAll(file(BUNNY))).rejects.toMatchObject({ code: 'FFMPEG_NOT_FOUND' })
  })

  test('can be tried again where the system has no process left', async () => {
    const refuse = () => {
      throw Object.assign(new Error('spawn EAGAIN'), { code: 'EAGAIN', syscall: 'spawn' })
    }
    vi.spyOn(ffmpeg.prototype as { _getFfmpegPath: () => void }, '_getFfmpegPath').mockImplementation(refuse)
    onTestFinished(() => {
      vi.restoreAllMocks()
    })
    await expect(start(jobOf()).ended).rejects.toMatchObject({ code: 'VIDEO_DECODER_FAILED', canRetry: true })
  })

  test('is too old where it does not know an option', async () => {
    const binary = useFailing('old', {
      word: '-fps_mode',
      lines: ["[error] Unrecognized option 'fps_mode'.", '[fatal] Error splitting the argument list: Option not found'],
      exitCode: 1,
    })
    const error: unknown = await readAll(file(BUNNY)).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'FFMPEG_TOO_OLD', canRetry: false })
    expect((error as Error).message).toContain(binary)
    expect((error as Error).message).toMatch(/5\.1 or newer.+FFMPEG_PATH.+ffmpeg-static/)
  })

  test('is no bad file where a signal it caught ended the listing', async () => {
    useFailing('ended', { word: 'framecrc', lines: ['[info] Exiting normally, received signal 15.'], exitCode: 255 })
    await expect(readAll(file(BUNNY))).rejects.toMatchObject({
      code: 'VIDEO_DECODER_FAILED',
      message: expect.stringMatching(/bunny\.mp4: received signal 15\.$/) as string,
    })
  })

  test('says that a signal ended it', async () => {
    const binary = join(folder, 'dying')
    writeFileSync(binary, '#!/bin/sh\nkill -SEGV $$\n', { mode: 0o755 })
    useBinary(binary)
    const { output, ended } = start(jobOf())
    expect(await lengthOf(output)).toBe(0)
    expect(await ended).toEqual({ exitCode: undefined, lastLines: [] })
  })
})
