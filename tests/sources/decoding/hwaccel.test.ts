import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, onTestFinished, test, vi } from 'vitest'

import { uniform } from '../../../src/sampling/uniform.js'
import { decoderArguments } from '../../../src/sources/decoding/decoder-options.js'
import { directory } from '../../../src/sources/directory.js'
import { findFfmpeg } from '../../../src/sources/decoding/ffmpeg-binary.js'
import { file } from '../../../src/sources/file.js'
import { expectHwaccel } from '../../../src/sources/decoding/hwaccel.js'
import { rtsp } from '../../../src/sources/rtsp.js'
import { WAIT } from '../contract.js'
import { md5, readAll } from '../helpers/frames.js'
import { QUICK, watchLive } from '../helpers/live.js'
import { BUNNY, MediaFolder } from '../helpers/media.js'
import { childProcesses } from '../helpers/processes.js'

const media = new MediaFolder()
const { signal } = new AbortController()

/** What stands in for a binary with hardware: it notes how it is called, and has the methods it is told. */
function useStandIn(name: string, { methods, isDeviceThere }: { methods: string; isDeviceThere: boolean | 'hangs' }) {
  const [binary, calls] = [join(media.path, name), join(media.path, `${name}.calls`)]
  const missing = 'echo "[X @ 0x1] Cannot load libcuda.so.1" >&2; echo "Device creation failed: -1." >&2; exit 1'
  const device = isDeviceThere === 'hangs' ? 'exec sleep 600' : isDeviceThere ? 'exit 0' : missing
  const script = [
    `echo "$@" >> '${calls}'`,
    `case "$*" in`,
    `  *-hwaccels*) printf 'Hardware acceleration methods:\n${methods}\n\n'; exit 0;;`,
    `  *-init_hw_device*) ${device};;`,
    'esac',
    `exec '${findFfmpeg()}' "$@"`,
  ]
  writeFileSync(binary, `#!/bin/sh\n${script.join('\n')}\n`, { mode: 0o755 })
  writeFileSync(calls, '')
  vi.stubEnv('FFMPEG_PATH', binary)
  onTestFinished(() => {
    vi.unstubAllEnvs()
  })
  return { binary, calls: () => readFileSync(calls, 'utf8') }
}

const unavailable = (message: RegExp) => ({
  code: 'HWACCEL_UNAVAILABLE',
  canRetry: false,
  message: expect.stringMatching(message) as string,
})

describe('expectHwaccel', () => {
  test('lists what there is where a method is unknown', async () => {
    const { binary } = useStandIn('listing', { methods: 'vaapi\\ncuda\\nqsv', isDeviceThere: true })
    const message = new RegExp(`^${binary} can't decode by 'nvdec'\\. What it has for \`hwaccel\`: auto, vaapi, cuda\\.$`)
    await expect(expectHwaccel('nvdec', signal)).rejects.toMatchObject(unavailable(message))
    // Its pictures would stay in the device's memory.
    await expect(expectHwaccel('qsv', signal)).rejects.toMatchObject(unavailable(/auto, vaapi, cuda\.$/))
  })

  test('says what the device says where it is not there, and asks again the next time', async () => {
    const { calls } = useStandIn('without', { methods: 'cuda', isDeviceThere: false })
    const refusal = unavailable(/'cuda' doesn't answer: Cannot load libcuda\.so\.1\. .*'auto'/)
    await expect(expectHwaccel('cuda', signal)).rejects.toMatchObject(refusal)
    await expect(expectHwaccel('cuda', signal)).rejects.toMatchObject(refusal)
    expect(calls().match(/init_hw_device cuda/g)).toHaveLength(2)
  })

  test('asks a device that is there once', async () => {
    const { calls } = useStandIn('with', { methods: 'cuda', isDeviceThere: true })
    await expectHwaccel('cuda', signal)
    await expectHwaccel('cuda', signal)
    expect(calls().match(/init_hw_device cuda/g)).toHaveLength(1)
  })

  test('asks for all who want to know at the same time at once', async () => {
    const { calls } = useStandIn('shared', { methods: 'cuda', isDeviceThere: true })
    await Promise.all([1, 2, 3].map(() => expectHwaccel('cuda', signal)))
    expect(calls().match(/init_hw_device cuda/g)).toHaveLength(1)
  })

  test('stops asking when nobody waits any longer', async () => {
    const { calls } = useStandIn('stopped', { methods: 'cuda', isDeviceThere: 'hangs' })
    const stopping = new AbortController()
    const asking = expectHwaccel('cuda', stopping.signal)
    await vi.waitUntil(() => calls().includes('init_hw_device'), WAIT)
    stopping.abort()
    await expect(asking).rejects.toMatchObject({ code: 'ABORTED' })
    await vi.waitUntil(() => childProcesses().length === 0, WAIT)
  })

  test('says that a device did not answer in time, and ends what asked it', async () => {
    useStandIn('hanging', { methods: 'cuda', isDeviceThere: 'hangs' })
    const refusal = unavailable(/'cuda' didn't answer within 0\.5 s\. .*'auto'/)
    await expect(expectHwaccel('cuda', signal, { timeoutMs: 500 })).rejects.toMatchObject(refusal)
    await vi.waitUntil(() => childProcesses().length === 0, WAIT)
  })

  test('asks the ffmpeg of this machine', async () => {
    await expect(expectHwaccel('bogus', signal)).rejects.toMatchObject(unavailable(/What it has for `hwaccel`: auto/))
    await expect(expectHwaccel('auto', signal)).resolves.toBeUndefined()
  })

  test('needs an ffmpeg', async () => {
    vi.stubEnv('FFMPEG_PATH', '/nowhere/ffmpeg')
    onTestFinished(() => {
      vi.unstubAllEnvs()
    })
    await expect(expectHwaccel('vaapi', signal)).rejects.toMatchObject({ code: 'FFMPEG_NOT_FOUND' })
  })
})

test('the arguments stand for what is asked', () => {
  expect(decoderArguments({})).toEqual([])
  expect(decoderArguments({ hwaccel: 'vaapi' })).toEqual(['-hwaccel', 'vaapi'])
  expect(decoderArguments({ hwaccel: 'auto', keyframesOnly: true })).toEqual([
    ...['-hwaccel', 'auto', '-skip_frame', 'nokey', '-threads', '1'],
  ])
})

describe('the setting hwaccel', () => {
  test("of a file gives the same frames with 'auto', whatever hardware there is", async () => {
    const sampling = uniform(8)
    const [plain, auto] = [await readAll(file(BUNNY, { sampling })), await readAll(file(BUNNY, { sampling, hwaccel: 'auto' }))]
    expect(auto.frames.map(({ data }) => md5(data))).toEqual(plain.frames.map(({ data }) => md5(data)))
    expect(auto.info.health()).toEqual({ coverage: 1, warnings: [] })
  })

  test('reaches the decoder, before its input, and the lister not at all', async () => {
    const { calls } = useStandIn('decoding', { methods: 'auto', isDeviceThere: true })
    await readAll(file(BUNNY, { sampling: uniform(2), hwaccel: 'auto' }))
    const [listing, decoding, ...others] = calls().trim().split('\n')
    expect(others).toEqual([])
    expect(listing).not.toContain('-hwaccel')
    expect(decoding).toMatch(/-hwaccel auto .*-i file:.*rawvideo/)
  })

  test.each([
    ['file', () => file(BUNNY, { hwaccel: 'bogus' })],
    ['rtsp', () => rtsp('rtsp://127.0.0.1:1/x', { hwaccel: 'bogus' })],
  ])('of %s ends its stream, for good, where it can’t be', async (_, make) => {
    await expect(readAll(make())).rejects.toMatchObject(unavailable(/What it has/))
    expect(childProcesses()).toEqual([])
  })

  test('of rtsp is looked for once, before any connection, and its device is not blamed on the camera', async () => {
    const { calls } = useStandIn('camera', { methods: 'cuda', isDeviceThere: 'hangs' })
    const watched = await watchLive(rtsp('rtsp://127.0.0.1:1/x', { hwaccel: 'cuda', noFrameTimeoutMs: 1, reconnect: QUICK }))
    await vi.waitUntil(() => calls().includes('init_hw_device'), WAIT)
    expect([watched.reasons(), watched.ends]).toEqual([[], []])
    await watched.stop()
    expect(calls().match(/init_hw_device/g)).toHaveLength(1)
    expect(calls()).not.toContain('rtsp:')
  })

  test.each(['', 'vaapi -i /etc/passwd', '-y', 'VAAPI', 7])('is refused at once as %j', (hwaccel) => {
    const refused = expect.objectContaining({ code: 'SETTING_INVALID', message: expect.stringContaining('hwaccel') as string }) as Error
    const options = { hwaccel } as { hwaccel: string }
    expect(() => file(BUNNY, options)).toThrow(refused)
    expect(() => rtsp('rtsp://127.0.0.1/x', options)).toThrow(refused)
    expect(() => directory(media.path, options)).toThrow(refused)
  })
})
