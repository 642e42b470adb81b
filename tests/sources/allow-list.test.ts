import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'

import type { StreamError } from '../../src/errors.js'
import { allowList } from '../../src/sources/allow-list.js'

const ENTRIES = [
  'https://videos.example.com/clips/',
  'https://*.cdn.example.com/',
  'http://10.0.0.7:8080/',
  'http://[2001:DB8::1]/',
  'rtsp://camera-*.local/',
  'https://files.example.com/one.mp4',
]
const allow = allowList(ENTRIES)
const refused = { code: 'ADDRESS_NOT_ALLOWED', canRetry: false }

describe('allowList takes', () => {
  test.each([
    'https://videos.example.com/clips/one.mp4',
    'HTTPS://VIDEOS.Example.com:443/clips/one.mp4?token=1',
    'https://videos.example.com./clips/one.mp4',
    'https://admin:secret@videos.example.com/clips/a/b/c%20d.mp4',
    'https://videos.example.com/clips/100%25.mp4',
    'https://videos.example.com/clips/...mp4',
    'https://a.cdn.example.com/x',
    'http://10.0.0.7:8080/anything',
    'http://[2001:db8:0:0::1]/x',
    'https://files.example.com/one.mp4',
  ])('%s', async (address) => {
    expect(await allow.check(address)).toEqual({ kind: 'http', url: new URL(address) })
  })

  test.each(['rtsp://camera-7.local/live', 'rtsp://admin:p@ss@camera-door.local:554/live?x=1', 'RTSP://camera-7.local'])(
    '%s',
    async (address) => {
      expect(await allow.check(address)).toEqual({ kind: 'rtsp', address })
    },
  )
})

describe('allowList refuses', () => {
  test.each([
    ['another scheme', 'http://videos.example.com/clips/one.mp4'],
    ['another host', 'https://example.com/clips/one.mp4'],
    ['another port', 'https://videos.example.com:8443/clips/one.mp4'],
    ['no port where one is named', 'http://10.0.0.7/x'],
    ['another folder', 'https://videos.example.com/keys/one.mp4'],
    ['a folder that begins alike', 'https://videos.example.com/clips-private/one.mp4'],
    ['a file that begins alike', 'https://files.example.com/one.mp4.key'],
    ['the folder itself without its slash', 'https://videos.example.com/clips'],
    ['a host that ends alike', 'https://evilvideos.example.com/clips/one.mp4'],
    ['a host that begins alike', 'https://videos.example.com.evil.org/clips/one.mp4'],
    ['the allowed host as a login', 'https://videos.example.com@evil.org/clips/one.mp4'],
    ['the allowed host as a login with a slash', 'https://videos.example.com%2f@evil.org/clips/one.mp4'],
    ['the allowed host behind a fragment', 'https://evil.org#@videos.example.com/clips/one.mp4'],
    ['the allowed host behind a backslash', 'https://evil.org\\@videos.example.com/clips/one.mp4'],
    ['two labels for one wildcard', 'https://a.b.cdn.example.com/x'],
    ['no label for a wildcard', 'https://cdn.example.com/x'],
    ['an empty wildcard', 'rtsp://camera-.local/live'],
    ['a wildcard over a dot', 'rtsp://camera-7.evil.local/live'],
    ['two trailing dots', 'https://videos.example.com../clips/x'],
    ['dot segments', 'https://videos.example.com/clips/../keys'],
    ['encoded dot segments', 'https://videos.example.com/clips/%2e%2E/keys'],
    ['doubly encoded dot segments', 'https://videos.example.com/clips/%252e%252e/keys'],
    ['dot segments behind an encoded slash', 'https://videos.example.com/clips/..%2fkeys'],
    ['dot segments behind an encoded backslash', 'https://videos.example.com/clips/..%5ckeys'],
    ['an encoded NUL', 'https://videos.example.com/clips/one%00.mp4'],
    ['an encoded line break', 'https://videos.example.com/clips/one%0d%0aHost:%20evil.org'],
    ['a line break', 'https://videos.example.com/clips/one\n.mp4'],
    ['a tab inside the scheme', 'ht\ttps://videos.example.com/clips/one.mp4'],
    ['a blank before it', ' https://videos.example.com/clips/one.mp4'],
    ['an invisible character', 'https://videos.example\u200b.com/clips/one.mp4'],
    ['letters of full width', 'https://ｖideos.example.com/clips/one.mp4'],
    ['an encoded host', 'https://%76ideos.example.com/clips/one.mp4'],
    ['a number in place of an address', 'http://167772167:8080/x'],
    ['an address in hexadecimal', 'http://0x0a.0.0.7:8080/x'],
    ['an address with a part left out', 'http://10.7:8080/x'],
    ['a mapped address', 'http://[::ffff:10.0.0.7]:8080/x'],
    ['a port that is none', 'http://10.0.0.7:8080x/x'],
    ['two ports', 'http://10.0.0.7:8080:80/x'],
    ['no host', 'https:///clips/one.mp4'],
    ['one slash', 'https:/videos.example.com/clips/one.mp4'],
    ['no slash', 'https:videos.example.com/clips/one.mp4'],
    ['no scheme', '//videos.example.com/clips/one.mp4'],
    ['a path', '/etc/passwd'],
    ['concat', 'concat:https://videos.example.com/clips/one.mp4|file:///etc/passwd'],
    ['a subfile', 'subfile,,start,0,end,0,,:https://videos.example.com/clips/one.mp4'],
    ['data', 'data:video/mp4;base64,AAAA'],
    ['a file', 'file:///etc/passwd'],
    ['nothing', ''],
  ])('%s', async (_, address) => {
    await expect(allow.check(address)).rejects.toMatchObject(refused)
  })

  test('everything when it is empty', async () => {
    await expect(allowList([]).check('https://videos.example.com/clips/one.mp4')).rejects.toMatchObject(refused)
  })

  test('by naming scheme and host, and no secret', async () => {
    const failure = allow.check('https://admin:secret@evil.org:8443/secret?token=secret').catch((error: unknown) => error)
    const { message } = (await failure) as StreamError
    expect(message).toContain('https://evil.org:8443 is not allowed')
    expect(message).not.toContain('secret')
    const odd = allow.check('concat:secret').catch((error: unknown) => error)
    expect(((await odd) as StreamError).message).toMatch(/^Reading concat: in this form is not allowed/)
  })
})

describe('files', () => {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'tinyllava-stream-allow-')))
  afterAll(() => {
    rmSync(root, { recursive: true })
  })
  const address = (path: string): string => pathToFileURL(join(root, path)).href
  for (const folder of ['videos', 'videos/inside', 'private']) mkdirSync(join(root, folder))
  for (const path of ['videos/a b.mp4', 'videos/inside/b.mp4', 'private/key']) writeFileSync(join(root, path), 'x')
  symlinkSync(join(root, 'private/key'), join(root, 'videos/link.mp4'))
  symlinkSync(join(root, 'private'), join(root, 'videos/folder'))
  symlinkSync(join(root, 'videos/inside/b.mp4'), join(root, 'videos/good-link.mp4'))
  symlinkSync(join(root, 'videos'), join(root, 'alias'))
  const files = allowList([`${address('videos')}/`])

  test.each([
    ['videos/a b.mp4', 'videos/a b.mp4'],
    ['videos/good-link.mp4', 'videos/inside/b.mp4'],
  ])('takes %s as the file it really is', async (path, real) => {
    expect(await files.check(address(path))).toEqual({ kind: 'file', path: join(root, real) })
  })

  test('takes an allowed folder that is a link itself', async () => {
    const linked = allowList([address('alias')])
    expect(await linked.check(address('alias/inside/b.mp4'))).toEqual({ kind: 'file', path: join(root, 'videos/inside/b.mp4') })
  })

  test.each(['videos/link.mp4', 'videos/folder/key', 'private/key', 'private/nothing'])('refuses %s', async (path) => {
    await expect(files.check(address(path))).rejects.toMatchObject(refused)
  })

  test('tells of a file that is not there only inside the folder', async () => {
    await expect(files.check(address('videos/nothing.mp4'))).rejects.toMatchObject({ code: 'VIDEO_NOT_FOUND' })
  })

  test.each([
    ['a host', (good: string) => good.replace('file://', 'file://server')],
    ['localhost', (good: string) => good.replace('file://', 'file://localhost')],
    ['four slashes', (good: string) => good.replace('file://', 'file:///')],
    ['one slash', (good: string) => good.replace('file://', 'file:')],
    ['a query', (good: string) => `${good}?x`],
    ['an encoded slash', (good: string) => good.replace('/a%20b', '%2fa%20b')],
    ['dot segments', (good: string) => good.replace('/a%20b.mp4', '/../private/key')],
    ['a malformed encoding', (good: string) => good.replace('%20', '%zz')],
  ])('refuses an address with %s', async (_, change) => {
    await expect(files.check(change(address('videos/a b.mp4')))).rejects.toMatchObject(refused)
  })
})

describe('entries', () => {
  test.each([
    ['a path', '/data/videos'],
    ['another scheme', 'ftp://example.com/'],
    ['a login', 'https://admin:secret@example.com/'],
    ['a query', 'https://example.com/?token=secret'],
    ['wildcards alone', 'https://*/'],
    ['wildcards and dots alone', 'https://*.*/'],
    ['dot segments', 'https://example.com/a/../b'],
    ['a file elsewhere', 'file://server/data/'],
    ['a number', 3 as unknown as string],
  ])('with %s are refused, without showing them', (_, entry) => {
    const make = () => allowList(['https://good.example.com/', entry])
    expect(make).toThrow(expect.objectContaining({ code: 'SETTING_INVALID' }))
    expect(make).toThrow(/^allowList: `\[1\]`: (?!.*secret)/)
  })
})

describe('whatever comes', () => {
  const piece = fc.constantFrom(
    ...['https://', 'http:', 'file:///', 'rtsp://', 'videos.example.com', 'evil.org', '@', ':', '443', '/', '\\', '..', '.', '?'],
    ...['#', '%2e', '%2f', '%', '%00', 'clips', 'camera-1.local', '*', ' ', '\t', '\u200b', '[', ']', '::1', 'é'],
  )
  const dressedUp = fc.oneof(
    fc.array(piece, { maxLength: 14 }).map((pieces) => pieces.join('')),
    fc.array(piece, { maxLength: 8 }).map((pieces) => `https://videos.example.com/clips/${pieces.join('')}`),
    fc.string({ unit: 'binary' }),
    fc.webUrl({ withQueryParameters: true, withFragments: true }),
  )

  test('an http address that is allowed is one that URL finds there, too', async () => {
    await fc.assert(
      fc.asyncProperty(dressedUp, async (address) => {
        const found = await allow.check(address).catch((error: unknown) => error)
        if (found instanceof Error) {
          expect(found).toMatchObject(refused)
          return
        }
        const { url } = found as { url?: URL }
        if (url === undefined) expect(address).toMatch(/^rtsp:/i)
        else if (url.hostname.replace(/\.$/, '') === 'videos.example.com') expect(url.pathname).toMatch(/^\/clips\//)
        else expect(url.hostname).toMatch(/^[^.]+\.cdn\.example\.com\.?$|^files\.example\.com\.?$|^10\.0\.0\.7$|^\[2001:db8::1\]$/)
      }),
      { numRuns: 5000 },
    )
  })
})
