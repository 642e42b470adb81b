import { existsSync, renameSync } from 'node:fs'
import { mkdtemp, readdir, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

import type { ConvertProgress } from '../../src/model/convert.js'
import { openBundle } from '../../src/model/runtime/bundle.js'
import { cacheFolder, demoBundle } from '../../src/service/demo-model.js'

const checkpoint = fileURLToPath(new URL('../reference/cases/qwen2-naive/checkpoint', import.meta.url))

let cache: string
beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'demo-model-'))
  vi.stubEnv('TINYLLAVA_STREAM_CACHE', cache)
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(cache, { recursive: true, force: true })
})

describe('demoBundle', () => {
  test('builds at the first use and finds it at the next', async () => {
    const progress: ConvertProgress[] = []
    const build = () => demoBundle({ checkpoint, onProgress: (step) => progress.push(step) })
    const bundle = await build()
    expect(progress.at(-1)).toMatchObject({ doneBytes: progress.at(-1)?.totalBytes })

    const count = progress.length
    expect(await build()).toBe(bundle)
    expect(progress).toHaveLength(count)
    expect(await readdir(join(cache, 'bundles'))).toEqual([basename(bundle)])
  })

  test('two that build at once end with the same whole bundle, and nothing beside it', async () => {
    const [one, two] = await Promise.all([demoBundle({ checkpoint }), demoBundle({ checkpoint })])
    expect(one).toBe(two)
    expect(await readdir(join(cache, 'bundles'))).toEqual([basename(one)])
    expect(await readdir(one)).toContain('manifest.json')
  })

  test('the same is true where the other one was faster by its last step', async () => {
    const bundle = await demoBundle({ checkpoint })
    const other = join(cache, 'other')
    await rename(bundle, other)
    await writeFile(join(other, 'mark'), '')
    // While this one builds, the other puts its own in place.
    const onProgress = (): void => {
      if (existsSync(other)) renameSync(other, bundle)
    }
    expect(await demoBundle({ checkpoint, onProgress })).toBe(bundle)
    expect(await readdir(bundle)).toContain('mark')
    expect(await readdir(join(cache, 'bundles'))).toEqual([basename(bundle)])
  })

  test.each<readonly [string, (bundle: string) => Promise<void>]>([
    ['a file is missing', (bundle) => rm(join(bundle, 'config.json'))],
    ['a file was cut', (bundle) => truncate(join(bundle, 'config.json'), 1)],
    ['the manifest is missing', (bundle) => rm(join(bundle, 'manifest.json'))],
    ['the manifest is malformed', (bundle) => writeFile(join(bundle, 'manifest.json'), '{')],
  ])('a cached bundle that isn’t whole is built again: %s', async (_what, damage) => {
    const bundle = await demoBundle({ checkpoint })
    const whole = await readdir(bundle)
    await damage(bundle)
    const onProgress = vi.fn()
    expect(await demoBundle({ checkpoint, onProgress })).toBe(bundle)
    expect(onProgress).toHaveBeenCalled()
    await expect(openBundle(bundle)).resolves.toMatchObject({ dir: bundle })
    expect(await readdir(bundle)).toEqual(whole)
    expect(await readdir(join(cache, 'bundles'))).toEqual([basename(bundle)])
  })

  test('a checkpoint with other files is another bundle', async () => {
    const other = fileURLToPath(new URL('../reference/cases/qwen2-stop/checkpoint', import.meta.url))
    expect(await demoBundle({ checkpoint })).not.toBe(await demoBundle({ checkpoint: other }))
  })

  test('a build that is stopped leaves nothing behind', async () => {
    const abort = new AbortController()
    const building = demoBundle({
      checkpoint,
      signal: abort.signal,
      onProgress: () => {
        abort.abort()
      },
    })
    await expect(building).rejects.toMatchObject({ code: 'ABORTED' })
    expect(await readdir(join(cache, 'bundles'))).toEqual([])
  })

  test('a package without its model says so', async () => {
    await expect(demoBundle({ checkpoint: join(cache, 'missing') })).rejects.toMatchObject({
      code: 'CHECKPOINT_NOT_FOUND',
    })
  })

  test('a cache that is there and can’t be written says what to set', async () => {
    // Nobody can make a folder in there, not even root, for whom permissions are none.
    await symlink('/proc/self', join(cache, 'bundles'))
    await expect(demoBundle({ checkpoint })).rejects.toMatchObject({
      code: 'SETTING_INVALID',
      message: expect.stringContaining('TINYLLAVA_STREAM_CACHE') as unknown,
    })
  })

  test('a cache that can’t be made says what to set', async () => {
    await writeFile(join(cache, 'file'), '')
    vi.stubEnv('TINYLLAVA_STREAM_CACHE', join(cache, 'file'))
    await expect(demoBundle({ checkpoint })).rejects.toMatchObject({
      code: 'SETTING_INVALID',
      message: expect.stringContaining('TINYLLAVA_STREAM_CACHE') as unknown,
    })
  })
})

describe('cacheFolder', () => {
  test.each([
    [{ TINYLLAVA_STREAM_CACHE: '/own', XDG_CACHE_HOME: '/shared' }, '/own'],
    [{ XDG_CACHE_HOME: '/shared' }, '/shared/tinyllava-stream'],
    [{ TINYLLAVA_STREAM_CACHE: '', XDG_CACHE_HOME: '' }, join(homedir(), '.cache', 'tinyllava-stream')],
    [{}, join(homedir(), '.cache', 'tinyllava-stream')],
  ])('%j', (environment, expected) => {
    expect(cacheFolder(environment)).toBe(expected)
  })
})
