import { mkdirSync, readFileSync, readdirSync, readlinkSync, rmSync, symlinkSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { HOST } from '../../../../src/host.js'
import { cacheError } from '../../../../src/model/checkpoint/hub/cache.js'
import { type PullOptions, type PullProgress, pullCheckpoint } from '../../../../src/model/checkpoint/hub/pull.js'
import { type TemporaryFolder, temporaryFolder } from '../../../support/checkpoint-files.js'
import { cutAfter, falsified, shifted, shortened, silentAfter, status, whole } from '../../../support/hub-behaviours.js'
import { type HubServer, type ServedRepository, commitOf, etagOf, startHubServer } from '../../../support/hub-server.js'

const weights = Buffer.from(Array.from({ length: 300_000 }, (_, place) => (place * 7919) >> 3))
const needed = { 'config.json': '{"model_type":"tinyllava"}', 'vocab.json': '{"a":0}', 'tokenizer_config.json': '{}', 'model.safetensors': weights }
const repository: ServedRepository = {
  files: { ...needed, 'README.md': '# A model', 'modeling.py': 'print("code")', 'pytorch_model.bin': 'pickle', 'assets/picture.png': 'x' },
  revisions: ['v1', 'refs/pr/1'],
}
const commit = commitOf(repository)
const weightsEtag = etagOf('model.safetensors', weights)

let folder: TemporaryFolder
let server: HubServer
beforeEach(async () => {
  folder = temporaryFolder()
  const repositories = {
    'org/model': repository,
    'org/private': { ...repository, readers: ['hf_mine'] },
    'org/gated': { ...repository, accepted: ['hf_mine'] },
    'org/text': { files: { 'README.md': 'nothing' } },
  }
  server = await startHubServer(repositories, { tokens: ['hf_mine', 'hf_other'] })
})
afterEach(async () => {
  await server.close()
  folder.remove()
})

/** Settings come from here alone: whoever runs this may have some of his own. */
const pull = (name = 'org/model', options: PullOptions = {}): Promise<string> =>
  pullCheckpoint(name, { endpoint: server.endpoint, cacheFolder: folder.path, token: 'hf_mine', offline: false, retryDelayMs: 0, ...options })

const failureOf = (name?: string, options?: PullOptions): Promise<unknown> => pull(name, options).catch((error: unknown) => error)
const place = (...parts: readonly string[]): string => join(folder.path, 'models--org--model', ...parts)
const filesIn = (path: string): readonly string[] => readdirSync(path).sort()
const fileRequests = () => server.requests.filter(({ server: which, path }) => which === 'files' || path.includes('/resolve/'))
/** Where the requests for the weights began, as they came to the server of large files. */
const ranges = () => server.requests.filter(({ server: which }) => which === 'files').map(({ headers }) => headers.range)
const weightsThere = (): Buffer => readFileSync(place('snapshots', commit, 'model.safetensors'))

describe('a checkpoint comes', () => {
  test('with what a conversion needs and nothing else, laid out as the hub’s other tools do', async () => {
    expect(await pull()).toBe(place('snapshots', commit))
    expect(filesIn(place('snapshots', commit))).toEqual(Object.keys(needed).sort())
    for (const [name, content] of Object.entries(needed)) {
      expect(readFileSync(place('snapshots', commit, name)).equals(Buffer.from(content))).toBe(true)
      expect(readlinkSync(place('snapshots', commit, name))).toBe(join('..', '..', 'blobs', etagOf(name, content)))
    }
    expect(filesIn(place('blobs'))).toEqual(Object.entries(needed).map(([name, content]) => etagOf(name, content)).sort())
    expect(readFileSync(place('refs', 'main'), 'utf8')).toBe(commit)
  })

  test.each(['v1', 'refs/pr/1'])('at revision %s, which is noted', async (revision) => {
    await pull(`org/model@${revision}`)
    expect(readFileSync(place('refs', revision), 'utf8')).toBe(commit)
  })

  test('at a commit, which needs no note', async () => {
    expect(await pull(`org/model@${commit}`)).toBe(place('snapshots', commit))
    expect(filesIn(place())).toEqual(['blobs', 'snapshots'])
  })

  test('with its folders, where it has some', async () => {
    const parts = { 'config.json': '{}', 'connector/pytorch_model.bin': 'c', 'language_model/pytorch_model.bin': 'l' }
    await server.close()
    server = await startHubServer({ 'org/model': { files: parts } }, { tokens: ['hf_mine'] })
    const found = await pull()
    expect(readFileSync(join(found, 'language_model/pytorch_model.bin'), 'utf8')).toBe('l')
    expect(readlinkSync(join(found, 'connector/pytorch_model.bin'))).toMatch(/^\.\.\/\.\.\/\.\.\/blobs\//)
  })

  test('and says how far it is', async () => {
    const progress: PullProgress[] = []
    await pull('org/model', { onProgress: (one) => void progress.push(one) })
    const totalBytes = Object.values(needed).reduce((sum, content) => sum + content.length, 0)
    expect(progress.every((one, at) => one.totalBytes === totalBytes && one.doneBytes >= (progress[at - 1]?.doneBytes ?? 0))).toBe(true)
    expect(progress.at(0)?.doneBytes).toBe(0)
    expect(progress.at(-1)?.doneBytes).toBe(totalBytes)
    expect(new Set(progress.map(({ file }) => file))).toEqual(new Set(Object.keys(needed)))
  })
})

describe('what is there already', () => {
  test('is not fetched again', async () => {
    await pull()
    const before = fileRequests().length
    expect(await pull('org/model@v1')).toBe(place('snapshots', commit))
    expect(fileRequests().length).toBe(before)
  })

  test('is used, whoever fetched it', async () => {
    mkdirSync(place('blobs'), { recursive: true })
    writeFileSync(place('blobs', weightsEtag), weights)
    await pull()
    expect(ranges()).toEqual([])
    expect(weightsThere().equals(weights)).toBe(true)
  })

  test('but not where it has another size', async () => {
    mkdirSync(place('blobs'), { recursive: true })
    writeFileSync(place('blobs', weightsEtag), weights.subarray(1))
    await pull()
    expect(weightsThere().equals(weights)).toBe(true)
  })

  test('is used where it lies in the commit’s folder itself, as without symbolic links', async () => {
    mkdirSync(place('snapshots', commit), { recursive: true })
    writeFileSync(place('snapshots', commit, 'model.safetensors'), weights)
    await pull()
    expect(ranges()).toEqual([])
    expect(filesIn(place('blobs'))).not.toContain(weightsEtag)
  })

  test('is taken by its size, and compared with its checksum where that is asked for', async () => {
    const other = Buffer.alloc(weights.length)
    mkdirSync(place('blobs'), { recursive: true })
    writeFileSync(place('blobs', weightsEtag), other)
    await pull()
    expect(weightsThere().equals(other)).toBe(true)
    await pull('org/model', { verify: true })
    expect(weightsThere().equals(weights)).toBe(true)
    expect(ranges()).toEqual([undefined])
    await pull('org/model', { verify: true })
    expect(ranges()).toEqual([undefined])
  })

  test('is compared where it lies in the commit’s folder itself, too', async () => {
    mkdirSync(place('snapshots', commit), { recursive: true })
    writeFileSync(place('snapshots', commit, 'model.safetensors'), Buffer.alloc(weights.length))
    const progress: PullProgress[] = []
    await pull('org/model', { verify: true, onProgress: (one) => void progress.push(one) })
    expect(weightsThere().equals(weights)).toBe(true)
    expect(progress[0]).toMatchObject({ file: 'model.safetensors', doneBytes: 0 })
  })

  test('is compared where another tool put the file itself beside its blob', async () => {
    await pull()
    const own = place('snapshots', commit, 'model.safetensors')
    unlinkSync(own)
    writeFileSync(own, Buffer.alloc(weights.length))
    await pull('org/model', { verify: true })
    expect(weightsThere().equals(weights)).toBe(true)
    expect(ranges()).toEqual([undefined])
  })

  test('is fetched where another pull that compares has removed it meanwhile', async () => {
    await pull()
    const onProgress = ({ file }: PullProgress): void => {
      if (file === 'model.safetensors') rmSync(place('blobs', weightsEtag), { force: true })
    }
    await pull('org/model', { verify: true, onProgress })
    expect(weightsThere().equals(weights)).toBe(true)
    expect(ranges()).toEqual([undefined, undefined])
  })

  test('is linked anew where its link leads nowhere', async () => {
    await pull()
    const link = place('snapshots', commit, 'config.json')
    unlinkSync(link)
    symlinkSync('nowhere', link)
    await pull()
    expect(readFileSync(link, 'utf8')).toBe(needed['config.json'])
  })
})

/** Small files are no subject here: they are there. */
function putSmallFiles(): void {
  mkdirSync(place('blobs'), { recursive: true })
  for (const [name, content] of Object.entries(needed)) {
    if (typeof content === 'string') writeFileSync(place('blobs', etagOf(name, content)), content)
  }
}

/** A range from where a connection broke: how much of what was sent arrives is up to the system. */
const REST = expect.stringMatching(/^bytes=[1-9]\d*-$/) as unknown

describe('a file that comes in pieces', () => {
  beforeEach(putSmallFiles)

  test('goes on where its connection broke', async () => {
    server.behave(cutAfter(100_000), cutAfter(50_000))
    await pull()
    expect(weightsThere().equals(weights)).toBe(true)
    expect(ranges()).toEqual([undefined, REST, REST])
  })

  test('goes on in the next call', async () => {
    server.behave(cutAfter(100_000))
    expect(await failureOf('org/model', { retries: 0 })).toMatchObject({ code: 'HUB_UNREACHABLE', canRetry: true })
    await pull()
    expect(weightsThere().equals(weights)).toBe(true)
    expect(ranges()).toEqual([undefined, REST])
    expect(filesIn(place('blobs')).filter((name) => name.includes('incomplete'))).toEqual([])
  })

  test('goes on after it was stopped', async () => {
    server.behave(silentAfter(100_000))
    const abort = new AbortController()
    const onProgress = ({ file, doneBytes }: PullProgress): void => {
      if (file === 'model.safetensors' && doneBytes >= 100_000) abort.abort('enough')
    }
    const stopped = await failureOf('org/model', { signal: abort.signal, onProgress })
    expect(stopped).toMatchObject({ code: 'ABORTED', message: 'Pulling org/model was stopped before it finished.', cause: 'enough' })
    await pull()
    expect(ranges()).toEqual([undefined, REST])
    expect(weightsThere().equals(weights)).toBe(true)
  })

  test('begins again where the server sends all of it', async () => {
    server.behave(cutAfter(100_000), whole)
    await pull()
    expect(weightsThere().equals(weights)).toBe(true)
  })

  test('is kept where the server sends another part than was asked for, time after time', async () => {
    server.behave(cutAfter(100_000), shifted, shifted)
    expect(await failureOf('org/model', { retries: 1 })).toMatchObject({
      code: 'HUB_UNREACHABLE', message: expect.stringMatching(/sent another part of model\.safetensors than from byte [1-9]\d* on.*is kept/) as unknown,
    })
    await pull()
    expect(ranges()).toEqual([undefined, REST, REST, REST])
    expect(new Set(ranges().slice(1)).size).toBe(1)
    expect(weightsThere().equals(weights)).toBe(true)
  })

  test.each([
    ['another part than was asked for', shifted],
    ['too little, in good order', shortened],
  ])('is asked for again where the server sends %s', async (_, behaviour) => {
    server.behave(cutAfter(100_000), behaviour)
    await pull()
    expect(weightsThere().equals(weights)).toBe(true)
  })

  test('is asked for again where nothing more comes', async () => {
    server.behave(silentAfter(100_000))
    await pull('org/model', { stallTimeLimitMs: 200 })
    expect(weightsThere().equals(weights)).toBe(true)
    expect(ranges()).toEqual([undefined, REST])
  })

  test('is asked for again where a server fails, and not for ever', async () => {
    server.behave(status(503), status(429), status(403))
    await pull('org/model', { retries: 3 })
    expect(weightsThere().equals(weights)).toBe(true)
    unlinkSync(place('blobs', weightsEtag))
    server.behave(status(503), status(503), status(503))
    const before = ranges().length
    expect(await failureOf('org/model', { retries: 2 })).toMatchObject({ code: 'HUB_UNREACHABLE', message: expect.stringContaining('answered 503') as unknown })
    expect(ranges().length - before).toBe(3)
  })
})

describe('a half-fetched file that was left behind', () => {
  beforeEach(putSmallFiles)
  const DEAD = 2 ** 22 + 1
  const UUID = '01234567-89ab-cdef-0123-456789abcdef'
  const old = new Date(Date.now() - 3_600_000)
  const leave = (owner: string, bytes = 120_000, touched = new Date()): string => {
    const path = place('blobs', `${weightsEtag}${owner}.incomplete`)
    writeFileSync(path, weights.subarray(0, bytes))
    utimesSync(path, touched, touched)
    return path
  }

  test.each([
    ['a process of this machine that ended', `.${HOST}-${DEAD}-${UUID}`, new Date()],
    ['another machine, long ago', `.00000000-1-${UUID}`, old],
    ['another tool, long ago', '', old],
  ])('by %s is taken over', async (_, owner, touched) => {
    leave(owner, 120_000, touched)
    await pull()
    expect(ranges()).toEqual(['bytes=120000-'])
    expect(weightsThere().equals(weights)).toBe(true)
    expect(filesIn(place('blobs')).filter((name) => name.includes('incomplete'))).toEqual([])
  })

  test.each([
    ['a process that is alive', `.${HOST}-${process.ppid}-${UUID}`],
    ['another machine, just now', `.00000000-1-${UUID}`],
    ['another tool, just now', ''],
  ])('by %s is let alone', async (_, owner) => {
    const path = leave(owner)
    await pull()
    expect(ranges()).toEqual([undefined])
    expect(readFileSync(path).length).toBe(120_000)
  })

  test('is taken where there is most, and needs no room of its own', async () => {
    leave(`.${HOST}-${DEAD}-${UUID}`, 10)
    leave(`.${HOST}-${DEAD + 1}-${UUID}`, weights.length)
    await pull()
    expect(ranges()).toEqual([])
    expect(filesIn(place('blobs')).filter((name) => name.includes('incomplete'))).toEqual([])
  })

  test('is begun again where it holds other bytes', async () => {
    writeFileSync(leave(`.${HOST}-${DEAD}-${UUID}`), Buffer.alloc(120_000))
    await pull()
    expect(ranges()).toEqual(['bytes=120000-', undefined])
    expect(weightsThere().equals(weights)).toBe(true)
  })
})

test('two pulls at the same time don’t disturb one another', async () => {
  expect(await Promise.all([pull(), pull('org/model@v1'), pull()])).toEqual([place('snapshots', commit), place('snapshots', commit), place('snapshots', commit)])
  expect(weightsThere().equals(weights)).toBe(true)
  expect(filesIn(place('blobs')).length).toBe(Object.keys(needed).length)
})

describe('other bytes than the hub lists', () => {
  test.each([['as many', 0], ['more', 1]])('(%s) are never kept', async (_, more) => {
    putSmallFiles()
    server.behave(falsified(more))
    expect(await failureOf()).toMatchObject({ code: 'HUB_CHECKSUM', canRetry: true, message: expect.stringContaining('model.safetensors') as unknown })
    expect(filesIn(place('blobs')).filter((name) => name.startsWith(weightsEtag))).toEqual([])
    await pull()
    expect(weightsThere().equals(weights)).toBe(true)
  })

  test('are noticed in small files as well', async () => {
    server.behave(falsified())
    expect(await failureOf()).toMatchObject({ code: 'HUB_CHECKSUM' })
  })
})

describe('the token', () => {
  test('goes to the hub and not to where it redirects to', async () => {
    await pull('org/private')
    const holders = new Set(server.requests.filter(({ headers }) => headers.authorization !== undefined).map(({ server: which }) => which))
    expect([...holders]).toEqual(['hub'])
    expect(server.requests.some(({ server: which }) => which === 'files')).toBe(true)
  })

  test('doesn’t follow a list to another server', async () => {
    const elsewhere = await startHubServer({})
    try {
      const mirror = await startHubServer({ 'org/model': repository }, { tokens: ['hf_mine'], nextPageAt: elsewhere.endpoint })
      await failureOf('org/model', { endpoint: mirror.endpoint, retries: 0 })
      await mirror.close()
      expect(elsewhere.requests.map(({ headers }) => headers.authorization)).toEqual([undefined])
    } finally {
      await elsewhere.close()
    }
  })
})

describe('the hub refuses', () => {
  test.each([
    ['org/none', undefined, 'HUB_REPOSITORY_UNKNOWN', /no model org\/none, or it is private.*set HF_TOKEN/],
    ['org/none', 'hf_mine', 'HUB_REPOSITORY_UNKNOWN', /no model org\/none, or it is private.*the token may read it/],
    ['org/private', undefined, 'HUB_REPOSITORY_UNKNOWN', /or it is private.*set HF_TOKEN/],
    ['org/private', 'hf_other', 'HUB_REPOSITORY_UNKNOWN', /or it is private/],
    ['org/private', 'hf_wrong', 'HUB_UNAUTHORIZED', /doesn't accept the token/],
    ['org/gated', undefined, 'HUB_UNAUTHORIZED', /org\/gated is gated. Accept its terms at .*\/org\/gated, then set HF_TOKEN/],
    ['org/gated', 'hf_other', 'HUB_UNAUTHORIZED', /is gated. Accept its terms at .*use a token/],
    ['org/model@nope', 'hf_mine', 'HUB_REVISION_UNKNOWN', /org\/model has no revision nope/],
    ['org/text', 'hf_mine', 'CHECKPOINT_NOT_FOUND', /org\/text .* is no checkpoint: it holds no config.json/],
  ])('%s for %s: %s', async (name, token, code, message) => {
    // Without a token of its own it would look for one that is stored.
    const environment = process.env.HF_TOKEN_PATH
    process.env.HF_TOKEN_PATH = folder.file('no-token')
    const error = await pullCheckpoint(name, { endpoint: server.endpoint, cacheFolder: folder.path, offline: false, retries: 0, ...(token !== undefined && { token }) })
      .catch((cause: unknown) => cause)
    if (environment === undefined) delete process.env.HF_TOKEN_PATH
    else process.env.HF_TOKEN_PATH = environment
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) as unknown })
    expect(String(error)).not.toContain('hf_')
  })
})

describe('answers that no hub gives', () => {
  const described = JSON.stringify({ id: 'org/model', sha: commit })
  const entry = { type: 'file', path: 'config.json', size: 2, oid: '0'.repeat(40) }
  test.each<readonly [string, readonly (number | string)[], string, RegExp]>([
    ['a page', ['<html>Log in to the network</html>'], 'HUB_ANSWER_INVALID', /not what a hub says.*HF_ENDPOINT/],
    ['no commit', ['{}'], 'HUB_ANSWER_INVALID', /makes no sense/],
    ['a commit that is a path', [JSON.stringify({ sha: '../../etc' })], 'HUB_ANSWER_INVALID', /makes no sense/],
    ['no list', [described, '{}'], 'HUB_ANSWER_INVALID', /not what a hub says/],
    ['a checksum that is a path', [described, JSON.stringify([{ ...entry, oid: '../../x' }])], 'HUB_ANSWER_INVALID', /makes no sense/],
    ['a negative size', [described, JSON.stringify([{ ...entry, size: -1 }])], 'HUB_ANSWER_INVALID', /makes no sense/],
    ['an unknown status', [418], 'HUB_ANSWER_INVALID', /answered 418/],
    ['forbidden', [403], 'HUB_UNAUTHORIZED', /doesn't let org\/model be read/],
    ['no such page', [404], 'HUB_REPOSITORY_UNKNOWN', /no model/],
    ['failures', [500, 502], 'HUB_UNREACHABLE', /answered 502/],
    ['a list of more than any disk holds', [described, JSON.stringify([{ ...entry, size: 2 ** 52 }, { ...entry, path: 'model.safetensors' }])], 'HUB_NO_SPACE', /MB left, the files take \d+ MB.*HF_HUB_CACHE/],
    ['a file outside of the folder', [described, JSON.stringify([{ ...entry, path: '../config.json' }])], 'CHECKPOINT_NOT_FOUND', /no config.json/],
  ])('%s', async (_, answers, code, message) => {
    server.answerApi(...answers)
    expect(await failureOf('org/model', { retries: 1 })).toMatchObject({ code, message: expect.stringMatching(message) as unknown })
  })

  test('a failure that passes is waited for', async () => {
    server.answerApi(500, 502)
    expect(await pull()).toBe(place('snapshots', commit))
  })
})

test('a hub that isn’t there can’t be reached', async () => {
  const gone = server.endpoint
  await server.close()
  const error = await failureOf('org/model', { retries: 1 })
  expect(error).toMatchObject({ code: 'HUB_UNREACHABLE', message: expect.stringMatching(/can't be reached: .*ECONNREFUSED.*HF_HUB_OFFLINE=1/) as unknown })
  expect(String(error)).toContain(gone)
  server = await startHubServer({})
})

describe('offline', () => {
  const offline = (name: string): Promise<unknown> => pull(name, { offline: true, endpoint: 'http://127.0.0.1:1' }).catch((error: unknown) => error)

  test('what is there is found without asking', async () => {
    await pull('org/model@v1')
    expect(await offline('org/model@v1')).toBe(place('snapshots', commit))
    expect(await offline(`org/model@${commit}`)).toBe(place('snapshots', commit))
  })

  test('what was never pulled is not', async () => {
    await pull('org/model@v1')
    expect(await offline('org/model')).toMatchObject({ code: 'HUB_OFFLINE', message: expect.stringMatching(/serve org\/model: it was never pulled. Pull it online first/) as unknown })
  })

  test('nothing can be verified', async () => {
    const error: unknown = await pull('org/model', { offline: true, verify: true }).catch((cause: unknown) => cause)
    expect(error).toMatchObject({ code: 'SETTING_INVALID', message: expect.stringContaining('HF_HUB_OFFLINE') as unknown })
  })

  test('what isn’t whole is not', async () => {
    await pull()
    unlinkSync(place('blobs', weightsEtag))
    expect(await offline('org/model')).toMatchObject({ code: 'HUB_OFFLINE', message: expect.stringContaining('it holds no weights in whole') as unknown })
  })
})

describe('the cache', () => {
  test('that can’t be written is named', async () => {
    writeFileSync(folder.file('file'), '')
    expect(await failureOf('org/model', { cacheFolder: folder.file('file') })).toMatchObject({
      code: 'HUB_CACHE_NOT_WRITABLE', message: expect.stringMatching(/models--org--model can't be written .*HF_HUB_CACHE/) as unknown,
    })
  })

  test('whose disk is full is named', async () => {
    const full: unknown = await writeFile('/dev/full', 'x').catch((error: unknown) => error)
    expect(cacheError(full, '/cache')).toMatchObject({ code: 'HUB_NO_SPACE', canRetry: true, cause: { code: 'ENOSPC' } })
  })
})

test('a signal that was given before stops it before it asks', async () => {
  expect(await failureOf('org/model', { signal: AbortSignal.abort('no') })).toMatchObject({ code: 'ABORTED', cause: 'no' })
  expect(server.requests).toEqual([])
})
