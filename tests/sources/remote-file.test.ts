import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { globalAgent } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { lastValueFrom } from 'rxjs'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'

import type { StreamError } from '../../src/errors.js'
import { allFrames } from '../../src/sampling/all-frames.js'
import { uniform } from '../../src/sampling/uniform.js'
import { allowList } from '../../src/sources/allow-list.js'
import { type FileOptions, file } from '../../src/sources/file.js'
import { fileStream } from '../../src/sources/decoding/file-stream.js'
import { inlineVideo, removeStaleVideos, temporaryVideo } from '../../src/sources/temporary-video.js'
import { WAIT, sourceContract } from './contract.js'
import { md5, onlyStream, readAll } from './helpers/frames.js'
import { BUNNY } from './helpers/media.js'
import { type Handler, VideoServer, redirect, serve, servePart, status } from './helpers/video-server.js'

const folder = mkdtempSync(join(tmpdir(), 'tinyllava-stream-test-'))
const bunny = readFileSync(BUNNY)
const half = Math.floor(bunny.length / 2)
const server = new VideoServer()
const other = new VideoServer()

afterAll(() => {
  rmSync(folder, { recursive: true })
})
/** Every temporary file is gone after each test, however it went. */
afterEach(async () => {
  await vi.waitFor(() => {
    expect(readdirSync(folder)).toEqual([])
  }, WAIT)
})

const remote = (address: string, download: FileOptions['download'] = {}) =>
  file(address, { sampling: uniform(3), download: { folder, retryDelayMs: 0, ...download } })

/** Reads three frames and checks that they are the right ones. */
async function expectBunny(source: ReturnType<typeof file>): Promise<void> {
  const { frames } = await readAll(source)
  expect(frames.map(({ data }) => md5(data))).toEqual(expected)
}
let expected: readonly string[]
beforeAll(async () => {
  const { frames } = await readAll(file(BUNNY, { sampling: uniform(3) }))
  expected = frames.map(({ data }) => md5(data))
})

async function errorOf(source: ReturnType<typeof file>): Promise<StreamError> {
  const { frames } = await onlyStream(source)
  return (await lastValueFrom(frames).catch((error: unknown) => error)) as StreamError
}

/** Breaks a connection once the first half has come to the disk. */
function breakOff(response: ServerResponse): void {
  const waiting = vi.waitFor(() => {
    const [own = ''] = readdirSync(folder)
    expect(statSync(join(folder, own, 'video.mp4')).size).toBe(half)
  }, WAIT)
  void waiting.then(() => response.destroy())
}

const ranges = () => server.requests.map(({ headers }) => headers.range)

describe('the contract', () => {
  beforeEach(() => {
    server.on('/clip.mp4', serve(bunny))
  })
  sourceContract('file', {
    make: ({ maxFramesInFlight }) =>
      file(server.address('/clip.mp4'), { sampling: allFrames(), maxFramesInFlight, download: { folder } }),
    makeBroken: () => remote(server.address('/nothing.mp4')),
  })
})

describe('a video behind an address', () => {
  test('is read as the file it is', async () => {
    await expectBunny(remote(server.on('/clip.mp4', serve(bunny))))
    expect(server.requests).toHaveLength(1)
  })

  test.each([
    ['/folder/my%20clip.mp4?token=secret', 'my clip.mp4'],
    ['/folder/a%2fb.mp4', 'a_b.mp4'],
    ['/', '127.0.0.1'],
    ['/%zz.mp4', '%zz.mp4'],
  ])('%s is named %s', async (path, id) => {
    const source = remote(server.address(path, 'admin:secret@'))
    expect(source.id).toBe(id)
    expect((await onlyStream(source)).info.id).toBe(id)
  })

  test('can be handed over as a URL', async () => {
    await expectBunny(file(new URL(server.on('/clip.mp4', serve(bunny))), { sampling: uniform(3), download: { folder } }))
  })

  test('may not tell its length', async () => {
    const chunked: Handler = (response) => void response.writeHead(200).end(bunny)
    await expectBunny(remote(server.on('/clip.mp4', chunked)))
  })

  test('gets the login of its address and the headers it is given', async () => {
    server.on('/clip.mp4', serve(bunny))
    await expectBunny(remote(server.address('/clip.mp4', 'ad%40min:p%3Ass@'), { headers: { 'x-token': 'abc' } }))
    const expected = { authorization: `Basic ${Buffer.from('ad@min:p:ss').toString('base64')}`, 'x-token': 'abc' }
    expect(server.requests[0]?.headers).toMatchObject(expected)
  })

  test('that is no video is VIDEO_UNREADABLE, told by its address without secrets', async () => {
    const html: Handler = (response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Log in</html>')
    server.on('/clip.mp4', html)
    const error = await errorOf(remote(server.address('/clip.mp4?token=secret', 'admin:secret@')))
    expect(error).toMatchObject({ code: 'VIDEO_UNREADABLE' })
    expect(error.message).toContain(`${server.address('/clip.mp4')}?*** is no video that ffmpeg knows`)
    expect(error.message).not.toMatch(/secret|tinyllava-stream-video/)
  })

  test('that is empty is VIDEO_EMPTY', async () => {
    expect(await errorOf(remote(server.on('/clip.mp4', serve(new Uint8Array()))))).toMatchObject({ code: 'VIDEO_EMPTY' })
  })

  test('is let go when nobody wants it any more, in the middle of the download', async () => {
    let isClosed = false
    const silent = servePart(bunny, { part: half })
    const address = server.on('/clip.mp4', (response, request) => {
      response.on('close', () => (isClosed = true))
      silent(response, request)
    })
    const { frames, info } = await onlyStream(remote(address))
    const subscription = frames.subscribe()
    await vi.waitFor(() => {
      const [own = ''] = readdirSync(folder)
      expect(readdirSync(join(folder, own))).toEqual(['video.mp4'])
    }, WAIT)
    subscription.unsubscribe()
    await vi.waitFor(() => {
      expect(isClosed).toBe(true)
    }, WAIT)
    expect(info.ledger.counts().handedOut).toBe(0)
  })
})

describe('a connection that breaks', () => {
  test('is taken up where it broke', async () => {
    await expectBunny(remote(server.on('/clip.mp4', servePart(bunny, { part: half, then: breakOff }), serve(bunny))))
    expect(ranges()).toEqual([undefined, `bytes=${half}-`])
    expect(server.requests[1]?.headers['if-range']).toBe('"1"')
  })

  test('by Last-Modified, where there is no strong ETag', async () => {
    const headers = { etag: 'W/"1"', 'last-modified': 'Wed, 01 Jan 2025 00:00:00 GMT' }
    const broken = servePart(bunny, { part: half, headers, then: breakOff })
    await expectBunny(remote(server.on('/clip.mp4', broken, serve(bunny, { etag: headers['last-modified'] }))))
    expect(ranges()).toEqual([undefined, `bytes=${half}-`])
  })

  test.each([
    ['the file is another one by now', { etag: '"0"' }, serve(bunny), `bytes=${half}-`],
    ['nothing told which file it was', {}, serve(bunny), undefined],
    ['the server knows no ranges', { etag: '"1"' }, (response) => void response.end(bunny), `bytes=${half}-`],
  ] as readonly (readonly [string, Record<string, string>, Handler, string | undefined])[])(
    'begins again where %s',
    async (_, headers, whole, range) => {
      // Bytes of another file: none of them may stay.
      const broken = servePart(new Uint8Array(bunny.length + 1000), { part: half, headers, then: breakOff })
      await expectBunny(remote(server.on('/clip.mp4', broken, whole)))
      expect(ranges()).toEqual([undefined, range])
    },
  )

  test.each([
    ['sends another part', status(206, { 'content-range': 'bytes 7-9/10' })],
    ['sends a part without saying which', status(206)],
    ['has no such part', status(416)],
  ])('begins again where the server %s', async (_, answer) => {
    const broken = servePart(bunny, { part: half, then: breakOff })
    await expectBunny(remote(server.on('/clip.mp4', broken, answer, serve(bunny))))
    expect(ranges()).toEqual([undefined, `bytes=${half}-`, undefined])
  })

  test('counts as broken when nothing comes for a while', async () => {
    const address = server.on('/clip.mp4', () => undefined, servePart(bunny, { part: half }), serve(bunny))
    await expectBunny(remote(address, { stallTimeLimitMs: 100 }))
    expect(ranges()).toEqual([undefined, undefined, `bytes=${half}-`])
  })

  test.each([500, 503, 429, 408])('and a %i are repeated', async (code) => {
    await expectBunny(remote(server.on('/clip.mp4', status(code), status(code), serve(bunny)), { retries: 2 }))
  })

  test('is given up after so many in a row without a byte', async () => {
    const broken = servePart(bunny, { part: half, then: breakOff })
    const error = await errorOf(remote(server.on('/clip.mp4', broken, status(500)), { retries: 2 }))
    expect(error).toMatchObject({ code: 'VIDEO_DOWNLOAD_FAILED', canRetry: true })
    expect(error.message).toBe(`${server.address('/clip.mp4')} could not be fetched: the server answered 500.`)
    expect(server.requests).toHaveLength(3)
  })

  test('that always breaks at the same place is given up, too', async () => {
    const broken = servePart(bunny, { part: half, headers: {}, then: breakOff })
    expect(await errorOf(remote(server.on('/clip.mp4', broken), { retries: 2 }))).toMatchObject({ code: 'VIDEO_DOWNLOAD_FAILED' })
    expect(server.requests).toHaveLength(3)
  })

  test('is never repeated past the limit of the whole', async () => {
    const error = await errorOf(remote(server.on('/clip.mp4', () => undefined), { timeLimitMs: 50 }))
    expect(error).toMatchObject({ code: 'VIDEO_DOWNLOAD_FAILED', message: expect.stringContaining('longer than 50 ms') as string })
    expect(server.requests).toHaveLength(1)
  })

  test('is one where nobody answers', async () => {
    const gone = new URL(server.address('/clip.mp4'))
    gone.port = '1'
    const error = await errorOf(remote(gone.href, { retries: 1 }))
    expect(error).toMatchObject({ code: 'VIDEO_DOWNLOAD_FAILED', message: expect.stringContaining('ECONNREFUSED') as string })
  })
})

describe('a server that refuses', () => {
  test.each([
    [404, 'VIDEO_NOT_FOUND'],
    [410, 'VIDEO_NOT_FOUND'],
    [401, 'VIDEO_UNREADABLE'],
    [403, 'VIDEO_UNREADABLE'],
    [400, 'VIDEO_UNREADABLE'],
    [304, 'VIDEO_UNREADABLE'],
  ])('with %i is %s, and not asked again', async (code, expected) => {
    const error = await errorOf(remote(server.on('/clip.mp4', status(code))))
    expect(error).toMatchObject({ code: expected, canRetry: false })
    expect(error.message).toContain(String(code))
    expect(server.requests).toHaveLength(1)
  })
})

describe('a video of too many bytes', () => {
  test('is not begun where it says so', async () => {
    const error = await errorOf(remote(server.on('/clip.mp4', serve(bunny)), { maxBytes: bunny.length - 1 }))
    expect(error).toMatchObject({ code: 'VIDEO_TOO_LARGE', canRetry: false })
    expect(error.message).toContain(`${bunny.length} bytes or more; ${bunny.length - 1} are allowed. Raise \`download.maxBytes\` where its source is made, or fetch it and name its path.`)
  })

  test('is given up where it turns out so', async () => {
    const endless: Handler = (response) => {
      response.writeHead(200)
      const more = (error?: Error | null): void => {
        if (error === undefined || error === null) response.write(Buffer.alloc(65_536), more)
      }
      more()
    }
    expect(await errorOf(remote(server.on('/clip.mp4', endless), { maxBytes: 1e6 }))).toMatchObject({ code: 'VIDEO_TOO_LARGE' })
  })

  test('may have exactly as many as are allowed', async () => {
    await expectBunny(remote(server.on('/clip.mp4', serve(bunny)), { maxBytes: bunny.length }))
  })
})

describe('a redirect', () => {
  test.each([301, 302, 303, 307, 308])('by %i is followed, also a relative one', async (code) => {
    server.on('/real.mp4', serve(bunny))
    await expectBunny(remote(server.on('/a/clip.mp4', redirect('../real.mp4', code))))
  })

  test('is followed five times', async () => {
    for (let step = 1; step <= 6; step++) server.on(`/${step}`, redirect(`/${step + 1}`))
    server.on('/6', serve(bunny))
    await expectBunny(remote(server.address('/1')))
    const error = await errorOf(remote(server.on('/0', redirect('/1'))))
    expect(error).toMatchObject({ code: 'VIDEO_UNREADABLE', message: expect.stringContaining('more than 5 times') as string })
  })

  test('takes the login and the headers along on the same host only', async () => {
    other.on('/real.mp4', serve(bunny))
    server.on('/next', redirect(other.address('/real.mp4', 'from:redirect@')))
    server.on('/clip.mp4', redirect('/next'))
    await expectBunny(remote(server.address('/clip.mp4', 'admin:secret@'), { headers: { 'x-token': 'secret' } }))
    expect(server.requests[1]?.headers).toMatchObject({ authorization: expect.stringMatching(/^Basic/) as string, 'x-token': 'secret' })
    expect(other.requests[0]?.headers).not.toHaveProperty('authorization')
    expect(other.requests[0]?.headers).not.toHaveProperty('x-token')
  })

  test.each(['file:///etc/passwd', 'ftp://127.0.0.1/x', 'rtsp://127.0.0.1/x'])('to %s is never followed', async (target) => {
    const error = await errorOf(remote(server.on('/clip.mp4', redirect(target))))
    expect(error).toMatchObject({ code: 'ADDRESS_NOT_ALLOWED', canRetry: false })
  })

  test('to nowhere is VIDEO_UNREADABLE', async () => {
    const error = await errorOf(remote(server.on('/clip.mp4', redirect('http://'))))
    expect(error).toMatchObject({ code: 'VIDEO_UNREADABLE', message: expect.stringContaining('no address') as string })
  })
})

describe('an allow list', () => {
  test('is asked for the address and for each redirect', async () => {
    other.on('/real.mp4', serve(bunny))
    server.on('/clip.mp4', redirect(other.address('/real.mp4')))
    const both = allowList([server.address('/'), other.address('/real.mp4')])
    await expectBunny(remote(server.address('/clip.mp4'), { allow: both }))

    other.requests = []
    const one = await errorOf(remote(server.address('/clip.mp4'), { allow: allowList([server.address('/')]) }))
    expect(one).toMatchObject({ code: 'ADDRESS_NOT_ALLOWED', canRetry: false })
    expect(one.message).toContain(new URL(other.address('/')).host)
    expect(other.requests).toEqual([])

    server.requests = []
    const none = await errorOf(remote(server.address('/clip.mp4'), { allow: allowList([]) }))
    expect(none).toMatchObject({ code: 'ADDRESS_NOT_ALLOWED' })
    expect(server.requests).toEqual([])
  })
})

describe('https', () => {
  const keys = mkdtempSync(join(tmpdir(), 'tinyllava-stream-keys-'))
  const [key, cert] = [join(keys, 'key.pem'), join(keys, 'cert.pem')]
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1']
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, ...subject], { stdio: 'ignore' })
  const trusted = readFileSync(cert, 'utf8')
  const secure = new VideoServer({ key: readFileSync(key, 'utf8'), cert: trusted })
  afterEach(() => {
    delete globalAgent.options.ca
  })
  afterAll(() => {
    rmSync(keys, { recursive: true })
  })

  test('is read where the certificate is trusted, and never left for http', async () => {
    globalAgent.options.ca = trusted
    await expectBunny(remote(secure.on('/clip.mp4', serve(bunny))))
    const error = await errorOf(remote(secure.on('/down.mp4', redirect(server.on('/clip.mp4', serve(bunny))))))
    expect(error).toMatchObject({ code: 'ADDRESS_NOT_ALLOWED' })
    expect(server.requests).toEqual([])
  })

  test('is VIDEO_UNREADABLE at once where it is not', async () => {
    const error = await errorOf(remote(secure.on('/clip.mp4', serve(bunny))))
    expect(error).toMatchObject({ code: 'VIDEO_UNREADABLE', message: expect.stringContaining('NODE_EXTRA_CA_CERTS') as string })
    expect(secure.requests).toEqual([])
  })
})

describe('settings', () => {
  test.each<[string, FileOptions['download']]>([
    ['maxBytes', { maxBytes: 0 }],
    ['timeLimitMs', { timeLimitMs: 0 }],
    ['stallTimeLimitMs', { stallTimeLimitMs: -1 }],
    ['retries', { retries: 1.5 }],
    ['retryDelayMs', { retryDelayMs: NaN }],
    ['headers.a b', { headers: { 'a b': 'secret' } }],
    ['headers.token', { headers: { token: 'secret\nx: y' } }],
    ['headers.token', { headers: { token: undefined as unknown as string } }],
    ['headers.Range', { headers: { Range: 'secret' } }],
    ['allow', { allow: ['https://secret/'] as unknown as ReturnType<typeof allowList> }],
    ['folder', { folder: '' }],
    ['download', { speed: 'secret' } as FileOptions['download']],
  ])('with a wrong %s are refused without showing it', (path, download) => {
    const make = () => file('https://example.org/clip.mp4', { download: download ?? {} })
    expect(make).toThrow(expect.objectContaining({ code: 'SETTING_INVALID' }))
    expect(make).toThrow(new RegExp(`^(?!.*secret).*${path}`))
  })

  test('of an address that can not be read are refused without its login', () => {
    expect(() => file('https://admin:secret@:99999/clip.mp4')).toThrow(/^https:\/\/\*\*\*@:99999\/clip\.mp4 is no address/)
  })
})

describe('temporary videos', () => {
  const reading = { sampling: uniform(3), maxFramesInFlight: 32, id: 'clip', kind: 'kafka' }

  test('hold a video that is in memory, for as long as it is read', async () => {
    vi.stubEnv('TMPDIR', folder)
    const stream = fileStream(inlineVideo(bunny, { shownAs: 'Message 7', name: 'clip.mp4' }), reading)
    await lastValueFrom(stream.frames)
    expect(stream.info).toMatchObject({ id: 'clip', kind: 'kafka', epoch: 0 })
    expect(stream.info.ledger.counts().handedOut).toBe(3)
    vi.unstubAllEnvs()
  })

  test('are called by another name in messages', async () => {
    vi.stubEnv('TMPDIR', folder)
    const { frames } = fileStream(inlineVideo(Buffer.from('no video'), { shownAs: 'Message 7', name: 'clip' }), reading)
    await expect(lastValueFrom(frames)).rejects.toMatchObject({
      code: 'VIDEO_UNREADABLE',
      message: expect.stringMatching(/^Message 7 is no video/) as string,
    })
    vi.unstubAllEnvs()
  })

  test('that can not be written are VIDEO_DOWNLOAD_FAILED', async () => {
    const missing = join(folder, 'nothing')
    const error = await errorOf(remote(server.on('/clip.mp4', serve(bunny)), { folder: missing }))
    expect(error).toMatchObject({ code: 'VIDEO_DOWNLOAD_FAILED', message: expect.stringContaining(`${missing} (ENOENT)`) as string })
  })

  test('that a crash left behind are removed, and no others', async () => {
    vi.stubEnv('TMPDIR', folder)
    const inUse = await begunVideo()
    const [own = ''] = readdirSync(folder)
    const host = /^tinyllava-stream-video-([0-9a-f]{8})-/.exec(own)?.[1] ?? ''
    const deadPid = Number(execFileSync(process.execPath, ['-p', 'process.pid']))
    const names = {
      dead: `tinyllava-stream-video-${host}-${deadPid}-abc`,
      before: `tinyllava-stream-video-${host}-${process.pid}-abc`,
      alive: `tinyllava-stream-video-${host}-${process.ppid}-abc`,
      elsewhere: `tinyllava-stream-video-00000000-${deadPid}-abc`,
      stranger: `somebody-else-${host}-${deadPid}-abc`,
    }
    for (const name of Object.values(names)) mkdirSync(join(folder, name))
    writeFileSync(join(folder, names.dead, 'video.mp4'), 'x')
    utimesSync(join(folder, names.before), 1, 1)

    await removeStaleVideos(folder)
    expect(readdirSync(folder).sort()).toEqual([own, names.alive, names.elsewhere, names.stranger].sort())
    await removeStaleVideos(join(folder, 'nothing'))

    inUse.unsubscribe()
    for (const name of [names.alive, names.elsewhere, names.stranger]) rmSync(join(folder, name), { recursive: true })
    vi.unstubAllEnvs()
  })

  test('of earlier processes are removed before the first of this one', async () => {
    const own = mkdtempSync(join(tmpdir(), 'stale-'))
    const inUse = await begunVideo(own)
    const [name = ''] = readdirSync(own)
    inUse.unsubscribe()
    const other = mkdtempSync(join(tmpdir(), 'stale-'))
    const deadPid = execFileSync(process.execPath, ['-p', 'process.pid'], { encoding: 'utf8' }).trim()
    mkdirSync(join(other, name.replace(/-\d+-[^-]*$/, `-${deadPid}-abc`)))
    const next = await begunVideo(other)
    await vi.waitFor(() => {
      expect(readdirSync(other)).toEqual([expect.stringContaining(`-${process.pid}-`)])
    }, WAIT)
    next.unsubscribe()
    for (const each of [own, other]) rmSync(each, { recursive: true, force: true })
  })

  /** A video that is being written, for as long as somebody listens. */
  async function begunVideo(into = folder) {
    const { frames } = fileStream(
      temporaryVideo({
        ...{ shownAs: 'a', name: 'a', folder: into },
        write: (_, signal) => new Promise((resolve) => {
          signal.addEventListener('abort', () => {
            resolve()
          })
        }),
      }),
      reading,
    )
    const subscription = frames.subscribe()
    await vi.waitFor(() => {
      expect(readdirSync(into)).toHaveLength(1)
    }, WAIT)
    return subscription
  }
})
