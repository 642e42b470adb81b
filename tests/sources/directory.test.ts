import { spawn } from 'node:child_process'
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'

import sharp from 'sharp'
import { type Subscription, lastValueFrom, toArray } from 'rxjs'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

import { StreamError } from '../../src/errors.js'
import { allFrames } from '../../src/sampling/all-frames.js'
import { uniform } from '../../src/sampling/uniform.js'
import { type DirectoryOptions, directory } from '../../src/sources/directory.js'
import { type FileLook, QUIET_LOOKS, Settling } from '../../src/sources/directory/settling.js'
import type { FrameStream, Source } from '../../src/sources/source.js'
import { WAIT, sourceContract } from './contract.js'
import { BUNNY } from './helpers/media.js'

let folder = ''
const subscriptions: Subscription[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tinyllava-stream-directory-'))
})
afterEach(() => {
  for (const subscription of subscriptions.splice(0)) subscription.unsubscribe()
  rmSync(folder, { recursive: true, force: true })
})

/** Puts a file into the folder whose content was last changed long ago. */
function put(name: string, from = BUNNY): string {
  const path = join(folder, name)
  mkdirSync(join(path, '..'), { recursive: true })
  copyFileSync(from, path)
  utimesSync(path, 1_700_000_000, 1_700_000_000)
  return path
}

/** Path of a small picture beside the folder's content. */
async function picture(format: 'png' | 'jpeg' = 'png'): Promise<string> {
  const path = join(folder, `.picture.${format}`)
  await sharp({ create: { width: 4, height: 3, channels: 3, background: '#aa3311' } }).toFormat(format).toFile(path)
  return path
}

const idsOf = async (options: DirectoryOptions = {}) => (await streamsOf(directory(folder, options))).map(({ info }) => info.id)
const streamsOf = (source: Source): Promise<FrameStream[]> => lastValueFrom(source.streams.pipe(toArray()), { defaultValue: [] })

/** Watches the folder; what it found and how it failed are added as they come. */
function watching(options: DirectoryOptions = {}) {
  const found: FrameStream[] = []
  const errors: unknown[] = []
  const source = directory(folder, { watch: true, settleMs: 200, sampling: uniform(2), ...options })
  subscriptions.push(source.streams.subscribe({ next: (stream) => found.push(stream), error: (error) => errors.push(error) }))
  return { found, errors, ids: () => found.map(({ info }) => info.id) }
}

/** Reads a stream to its end; the number of its frames, or its error. */
async function readStream({ frames }: FrameStream): Promise<number | StreamError> {
  let count = 0
  return new Promise((resolve) => {
    frames.subscribe({
      next: ({ receipt }) => {
        count += 1
        receipt.settle({ kind: 'encoded' })
      },
      error: resolve,
      complete: () => {
        resolve(count)
      },
    })
  })
}

describe('the contract', () => {
  beforeEach(() => {
    put('clip.mp4')
  })
  // The contract is about one stream and names its source after it.
  const one = (path: () => string, options: DirectoryOptions): Source => {
    const source = directory(path(), options)
    return { ...source, id: 'clip.mp4' }
  }
  sourceContract('directory', {
    make: (settings) => one(() => folder, { sampling: allFrames(), ...settings }),
    makeBroken: () => {
      writeFileSync(join(folder, 'clip.mp4'), 'no video')
      return one(() => folder, {})
    },
  })
})

describe('a folder', () => {
  test('gives its videos sorted by name, with those of folders inside, and nothing else', async () => {
    for (const name of ['b.mp4', 'a/z.MKV', 'a.webm', 'a/b/c.ts', 'B.mp4', 'ü.mov']) put(name)
    for (const name of ['notes.txt', '.hidden.mp4', '.hidden/x.mp4', 'clip.mp4.part', 'mp4']) put(name)
    mkdirSync(join(folder, 'folder.mp4'))
    expect(await idsOf()).toEqual(['B.mp4', 'a.webm', 'a/b/c.ts', 'a/z.MKV', 'b.mp4', 'ü.mov'])
    expect(await idsOf({ recursive: false })).toEqual(['B.mp4', 'a.webm', 'b.mp4', 'ü.mov'])
    expect(await idsOf({ extensions: ['txt', '.PART'] })).toEqual(['clip.mp4.part', 'notes.txt'])
  })

  test('follows links to files, and not those to folders, which may lead in a circle', async () => {
    put('real/a.mp4')
    symlinkSync(join(folder, 'real/a.mp4'), join(folder, 'link.mp4'))
    symlinkSync(join(folder, 'real/nothing.mp4'), join(folder, 'broken.mp4'))
    symlinkSync(folder, join(folder, 'real/circle'))
    expect(await idsOf()).toEqual(['link.mp4', 'real/a.mp4'])
  })

  test('reads each as `file` does, with the same settings', async () => {
    put('a.mp4')
    const [stream] = await streamsOf(directory(folder, { sampling: uniform(3), questions: ['Who?'] }))
    expect(stream?.info).toMatchObject({ id: 'a.mp4', kind: 'directory', epoch: 0, isLive: false, questions: ['Who?'] })
    expect(stream?.handles).toBeUndefined()
    expect(stream && (await readStream(stream))).toBe(3)
  })

  test('reads pictures where it is told their extensions, each as a stream of one frame', async () => {
    put('clip.mp4')
    put('b.PNG', await picture())
    put('a.jpg', await picture('jpeg'))
    expect(await idsOf()).toEqual(['clip.mp4'])
    const streams = await streamsOf(directory(folder, { extensions: ['jpg', 'png'], questions: ['What?'] }))
    expect(streams.map(({ info: { id, kind, questions } }) => [id, kind, questions])).toEqual([['a.jpg', 'directory', ['What?']], ['b.PNG', 'directory', ['What?']]])
    expect(await Promise.all(streams.map(readStream))).toEqual([1, 1])
  })

  test('names its streams after itself where it is given a name', async () => {
    put('a/b.mp4')
    expect(directory(folder).id).toBe(basename(folder))
    expect(directory(folder, { id: 'gate' }).id).toBe('gate')
    expect(await idsOf({ id: 'gate' })).toEqual(['gate/a/b.mp4'])
  })

  test('of thousands of videos opens none, and names each once', async () => {
    const names = Array.from({ length: 5000 }, (_, place) => `${String(place).padStart(5, '0')}.mp4`)
    for (const name of names) writeFileSync(join(folder, name), 'x')
    const before = process.memoryUsage().heapUsed
    const streams = await streamsOf(directory(folder))
    expect(streams.map(({ info }) => info.id)).toEqual(names)
    expect((process.memoryUsage().heapUsed - before) / names.length).toBeLessThan(20_000)
  })

  test('that is empty completes', async () => {
    expect(await idsOf()).toEqual([])
  })

  test.each([false, true])('that is not there is DIRECTORY_UNREADABLE (watch: %s)', async (watch) => {
    const missing = directory(join(folder, 'nothing'), { watch })
    await expect(lastValueFrom(missing.streams)).rejects.toMatchObject({ code: 'DIRECTORY_UNREADABLE', canRetry: false })
    const aFile = directory(put('a.mp4'), { watch })
    await expect(lastValueFrom(aFile.streams)).rejects.toThrow('it is no folder; `file` reads a single video')
  })
})

describe('a watched folder', () => {
  test('gives what is there, sorted, and then what comes, each once', async () => {
    for (const name of ['b.mp4', 'a/c.mp4', 'a.mp4']) put(name)
    put('.hidden.mp4')
    const { found, ids, errors } = watching()
    await vi.waitFor(() => {
      expect(ids()).toEqual(['a.mp4', 'a/c.mp4', 'b.mp4'])
    }, WAIT)
    put('late.mp4')
    put('new/folder/d.mp4')
    put('late.txt')
    await vi.waitFor(() => {
      expect(ids().slice(3).sort()).toEqual(['late.mp4', 'new/folder/d.mp4'])
    }, WAIT)
    expect(found.map(({ info }) => info.epoch)).toEqual(Array.from({ length: 5 }, () => 1_700_000_000_000))
    expect(await Promise.all(found.map(readStream))).toEqual([2, 2, 2, 2, 2])
    expect(errors).toEqual([])
  })

  test('leaves folders inside alone where it is told to', async () => {
    put('a/b.mp4')
    const { ids } = watching({ recursive: false })
    put('a/c.mp4')
    put('d.mp4')
    await vi.waitFor(() => {
      expect(ids()).toEqual(['d.mp4'])
    }, WAIT)
  })

  test('waits for a video that another process still writes', async () => {
    const path = join(folder, 'slow.mp4')
    const found: { stream: FrameStream; size: number }[] = []
    const source = directory(folder, { watch: true, settleMs: 2000, sampling: uniform(2) })
    subscriptions.push(source.streams.subscribe((stream) => found.push({ stream, size: statSync(path).size })))
    slowWriter(path)
    await vi.waitFor(() => {
      expect(found).toHaveLength(1)
    }, WAIT)
    expect(found[0]?.size).toBe(statSync(BUNNY).size)
    expect(found[0] && (await readStream(found[0].stream))).toBe(2)
    expect(found[0]?.stream.info.health()).toEqual({ coverage: 1, warnings: [] })
  })

  test('takes a video that is moved in as finished, and a replaced one as another', async () => {
    const outside = mkdtempSync(join(tmpdir(), 'tinyllava-stream-outside-'))
    const { found, ids } = watching()
    copyFileSync(BUNNY, join(outside, 'a.mp4'))
    renameSync(join(outside, 'a.mp4'), join(folder, 'a.mp4'))
    await vi.waitFor(() => {
      expect(ids()).toEqual(['a.mp4'])
    }, WAIT)
    copyFileSync(BUNNY, join(outside, 'a.mp4'))
    utimesSync(join(outside, 'a.mp4'), 1_800_000_000, 1_800_000_000)
    renameSync(join(outside, 'a.mp4'), join(folder, 'a.mp4'))
    await vi.waitFor(() => {
      expect(ids()).toEqual(['a.mp4', 'a.mp4'])
    }, WAIT)
    const [first, second] = found.map(({ info }) => info.epoch)
    expect(second).toBe(1_800_000_000_000)
    expect(first).not.toBe(second)
    // The first was not read before it was replaced: what is there now is the second's.
    expect(await Promise.all(found.map(readStream))).toEqual([expect.objectContaining({ code: 'VIDEO_NOT_FOUND' }), 2])
    rmSync(outside, { recursive: true })
  })

  test('takes pictures as they come, and keeps what is wrong with one to it', async () => {
    put('a.png', await picture())
    writeFileSync(join(folder, 'b.png'), 'no picture')
    const { found } = watching({ extensions: ['png'] })
    await vi.waitFor(() => {
      expect(found).toHaveLength(2)
    }, WAIT)
    const [good, bad] = found
    if (good === undefined || bad === undefined) throw new Error('unreachable')
    expect([good.info.epoch, await readStream(good)]).toEqual([1_700_000_000_000, 1])
    const error = await readStream(bad)
    expect(error).toMatchObject({ code: 'FRAME_UNREADABLE' })
    expect(bad.handles?.(error)).toBe(true)
  })

  test('reads no picture that was replaced before its turn', async () => {
    const path = put('a.png', await picture())
    const { found } = watching({ extensions: ['png'] })
    await vi.waitFor(() => {
      expect(found).toHaveLength(1)
    }, WAIT)
    utimesSync(path, 1_800_000_000, 1_800_000_000)
    const [stream] = found
    if (stream === undefined) throw new Error('unreachable')
    expect(await readStream(stream)).toMatchObject({ code: 'VIDEO_NOT_FOUND' })
  })

  test('keeps what is wrong with one video to that video', async () => {
    put('gone.mp4')
    writeFileSync(join(folder, 'broken.mp4'), 'no video')
    const { found, ids, errors } = watching()
    await vi.waitFor(() => {
      expect(ids()).toEqual(['broken.mp4', 'gone.mp4'])
    }, WAIT)
    rmSync(join(folder, 'gone.mp4'))
    const failures = await Promise.all(found.map(readStream))
    expect(failures).toMatchObject([{ code: 'VIDEO_UNREADABLE' }, { code: 'VIDEO_NOT_FOUND' }])
    expect(found.every((stream, place) => stream.handles?.(failures[place]))).toBe(true)
    expect(found[0]?.handles?.(new StreamError('FFMPEG_NOT_FOUND', ''))).toBe(false)
    expect(found[0]?.handles?.(new TypeError('a mistake'))).toBe(false)

    put('good.mp4')
    await vi.waitFor(() => {
      expect(ids()).toContain('good.mp4')
    }, WAIT)
    expect(errors).toEqual([])
  })

  test('that is removed is DIRECTORY_UNREADABLE', async () => {
    put('a.mp4')
    const { ids, errors } = watching()
    await vi.waitFor(() => {
      expect(ids()).toEqual(['a.mp4'])
    }, WAIT)
    rmSync(folder, { recursive: true })
    await vi.waitFor(() => {
      expect(errors).toMatchObject([{ code: 'DIRECTORY_UNREADABLE', message: expect.stringContaining('it was removed') as string }])
    }, WAIT)
  })

  test('is let go on unsubscribe', async () => {
    const { ids } = watching()
    for (const subscription of subscriptions.splice(0)) subscription.unsubscribe()
    put('a.mp4')
    const second = watching()
    await vi.waitFor(() => {
      expect(second.ids()).toEqual(['a.mp4'])
    }, WAIT)
    expect(ids()).toEqual([])
  })

  test('finds hundreds of videos that come at once, each once', async () => {
    const { ids } = watching()
    const staging = join(folder, '.staging')
    mkdirSync(staging)
    const names = Array.from({ length: 300 }, (_, place) => `${String(place).padStart(3, '0')}.mp4`)
    for (const name of names) writeFileSync(join(staging, name), 'x')
    cpSync(staging, join(folder, 'day'), { recursive: true })
    await vi.waitFor(() => {
      expect(ids()).toHaveLength(300)
    }, WAIT)
    expect(ids().sort()).toEqual(names.map((name) => `day/${name}`))
  })

  /** A process that writes the clip in 40 pieces, and takes its time. */
  function slowWriter(path: string): void {
    const code = `
      const { readFileSync, openSync, writeSync, closeSync } = require('node:fs')
      const [source, target] = process.argv.slice(1)
      const bytes = readFileSync(source)
      const file = openSync(target, 'w')
      const step = Math.ceil(bytes.length / 40)
      let place = 0
      const timer = setInterval(() => {
        writeSync(file, bytes, place, Math.min(step, bytes.length - place))
        place += step
        if (place < bytes.length) return
        closeSync(file)
        clearInterval(timer)
      }, 10)`
    spawn(process.execPath, ['-e', code, BUNNY, path], { stdio: 'ignore' })
  }
})

describe('Settling', () => {
  const files = new Map<string, FileLook>()
  const make = () => new Settling({ settleMs: 2000, look: (name) => Promise.resolve(files.get(name)) })
  /** A file that was just written to, its content as new as its name. */
  const written = (size: number, atMs: number): FileLook => ({ isFile: true, size, mtimeMs: atMs, ctimeMs: atMs, ino: 1 })
  const looks = async (settling: Settling, count: number) => {
    const found: string[] = []
    for (let look = 0; look < count; look++) found.push(...(await settling.look()).map(({ name }) => name))
    return found
  }
  beforeEach(() => {
    files.clear()
  })

  test('takes a file after so many looks that found it unchanged, and not one sooner', async () => {
    const settling = make()
    files.set('a', written(1, 1000))
    settling.note('a')
    expect(await looks(settling, QUIET_LOOKS)).toEqual([])
    expect(settling.isWaiting).toBe(true)
    expect(await settling.look()).toEqual([{ name: 'a', modifiedMs: 1000 }])
    expect(settling.isWaiting).toBe(false)
  })

  test.each([
    ['size', written(2, 1000)],
    ['time', written(1, 1001)],
    ['place on the disk', { ...written(1, 1000), ino: 2 }],
  ])('begins to count anew when its %s changed', async (_, changed) => {
    const settling = make()
    files.set('a', written(1, 1000))
    settling.note('a')
    await looks(settling, QUIET_LOOKS)
    files.set('a', changed)
    settling.note('a')
    expect(await looks(settling, QUIET_LOOKS)).toEqual([])
    expect(await looks(settling, 1)).toEqual(['a'])
  })

  test('takes a file at once whose name or times were set long after its content', async () => {
    const settling = make()
    files.set('moved', { ...written(1, 1000), ctimeMs: 3000 })
    files.set('fresh', { ...written(1, 1000), ctimeMs: 2999 })
    settling.note('moved')
    settling.note('fresh')
    expect(await looks(settling, 1)).toEqual(['moved'])
  })

  test('takes a file that was there only after looks, so that all of those come in order', async () => {
    const settling = make()
    files.set('b', { ...written(1, 1000), ctimeMs: 9000 })
    files.set('a', written(1, 1000))
    settling.note('b', { wasThere: true })
    settling.note('a', { wasThere: true })
    expect(await looks(settling, QUIET_LOOKS)).toEqual([])
    expect(await looks(settling, 1)).toEqual(['a', 'b'])
  })

  test('takes the same content once, and new content again', async () => {
    const settling = make()
    files.set('a', written(1, 1000))
    settling.note('a')
    expect(await looks(settling, 9)).toEqual(['a'])
    settling.note('a')
    expect(await looks(settling, 9)).toEqual([])
    files.set('a', written(1, 2000))
    settling.note('a')
    expect(await looks(settling, 9)).toEqual(['a'])
  })

  test('lets go of what is empty, gone or no file, until it is told again', async () => {
    const settling = make()
    files.set('empty', written(0, 1000))
    files.set('folder', { ...written(1, 1000), isFile: false })
    for (const name of ['empty', 'folder', 'gone']) settling.note(name)
    expect(await looks(settling, 9)).toEqual([])
    expect(settling.isWaiting).toBe(false)
    files.set('empty', written(1, 2000))
    settling.note('empty')
    expect(await looks(settling, 9)).toEqual(['empty'])
  })

  test('forgets a file that is gone, also in the middle of a look', async () => {
    const settling: Settling = new Settling({
      settleMs: 2000,
      look: (name) => {
        settling.forget(name)
        return Promise.resolve({ ...written(1, 1000), ctimeMs: 9000 })
      },
    })
    settling.note('a')
    expect(await looks(settling, 1)).toEqual([])
    expect(settling.isWaiting).toBe(false)
  })

  test('looks in the order of names', async () => {
    const settling = make()
    for (const name of ['c', 'a', 'b']) {
      files.set(name, { ...written(1, 1000), ctimeMs: 9000 })
      settling.note(name)
    }
    expect(await looks(settling, 1)).toEqual(['a', 'b', 'c'])
  })
})

test.each<[string, () => unknown]>([
  ['an empty path', () => directory('')],
  ['an address', () => directory('https://admin:secret@example.org/')],
  ['an empty id', () => directory('a', { id: ' ' })],
  ['a settling time of 0', () => directory('a', { settleMs: 0 })],
  ['no extensions', () => directory('a', { extensions: [] })],
  ['a pattern for an extension', () => directory('a', { extensions: ['*.mp4'] })],
  ['a watch that is no yes or no', () => directory('a', { watch: 1 as unknown as boolean })],
  ['an unknown setting', () => directory('a', { wacht: true } as DirectoryOptions)],
  ['a wrong sampling', () => directory('a', { sampling: uniform(1.5) })],
  ['a budget of 0', () => directory('a', { maxFramesInFlight: 0 })],
])('directory refuses %s', (_, make) => {
  expect(make).toThrow(expect.objectContaining({ code: 'SETTING_INVALID', message: expect.not.stringContaining('secret') as string }))
})
