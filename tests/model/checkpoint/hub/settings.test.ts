import { mkdirSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'

import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { type HubOptions, hubSettings } from '../../../../src/model/checkpoint/hub/settings.js'
import { type TemporaryFolder, temporaryFolder } from '../../../support/checkpoint-files.js'

let folder: TemporaryFolder
beforeEach(() => { folder = temporaryFolder() })
afterEach(() => { folder.remove() })

/** With a home of its own: whoever runs this may be logged in. */
const settingsOf = (environment: Readonly<Record<string, string>>, options: HubOptions = {}) =>
  hubSettings(options, { HF_HOME: folder.path, ...environment })

describe('what is left out', () => {
  test('is the hub, its usual cache, and nobody', async () => {
    expect(await settingsOf({})).toMatchObject({ endpoint: 'https://huggingface.co', cacheFolder: folder.file('hub'), token: undefined, offline: false })
  })

  test.each([
    [{ HF_HUB_CACHE: '/x/cache', HF_HOME: '/x/home' }, '/x/cache'],
    [{ HUGGINGFACE_HUB_CACHE: '/x/old', HF_HOME: '/x/home' }, '/x/old'],
    [{ HF_HOME: '/x/home' }, '/x/home/hub'],
    [{ HF_HOME: '', XDG_CACHE_HOME: '/x/caches' }, '/x/caches/huggingface/hub'],
    [{ HF_HOME: '', HF_HUB_CACHE: ' ' }, join(homedir(), '.cache/huggingface/hub')],
    [{ HF_HOME: '~/x' }, join(homedir(), 'x/hub')],
    [{ HF_HUB_CACHE: 'x/y' }, resolve('x/y')],
  ])('%j keeps files in %s', async (environment, cacheFolder) => {
    expect(await settingsOf({ HF_TOKEN: 'hf_x', ...environment })).toMatchObject({ cacheFolder })
  })

  test('the token comes from HF_TOKEN, then HF_TOKEN_PATH, then the file beside the cache', async () => {
    writeFileSync(folder.file('token'), 'hf_home\n')
    writeFileSync(folder.file('other'), ' hf_path\n')
    const environments = [{ HF_TOKEN: ' hf_named\n', HF_TOKEN_PATH: folder.file('other') }, { HF_TOKEN: '', HF_TOKEN_PATH: folder.file('other') }, {}]
    const settings = await Promise.all(environments.map((environment) => settingsOf(environment)))
    expect(settings.map(({ token }) => token)).toEqual(['hf_named', 'hf_path', 'hf_home'])
  })

  test('an option goes before its variable', async () => {
    const options = { endpoint: 'http://mirror/hub/', token: 'hf_b', cacheFolder: '/b', offline: false }
    const settings = await settingsOf({ HF_ENDPOINT: 'http://a', HF_TOKEN: 'hf_a', HF_HUB_CACHE: '/a', HF_HUB_OFFLINE: '1' }, options)
    expect(settings).toMatchObject({ ...options, endpoint: 'http://mirror/hub' })
  })

  test.each([['1', true], ['on', true], ['Yes', true], ['TRUE', true], ['0', false], ['no', false], ['', false]])('HF_HUB_OFFLINE=%s: %s', async (HF_HUB_OFFLINE, offline) => {
    expect(await settingsOf({ HF_HUB_OFFLINE })).toMatchObject({ offline })
  })
})

describe('refuses, and shows no value:', () => {
  test.each<readonly [string, Readonly<Record<string, string>>, HubOptions, RegExp]>([
    ['an address with a login', { HF_ENDPOINT: 'https://me:secret@hub' }, {}, /endpoint.*without login/],
    ['an address with a query', { HF_ENDPOINT: 'https://hub/?token=secret' }, {}, /endpoint/],
    ['no address', { HF_ENDPOINT: 'secret' }, {}, /endpoint/],
    ['another protocol', { HF_ENDPOINT: 'file:///secret' }, {}, /endpoint/],
    ['a token that no header can hold', { HF_TOKEN: 'hf_secret\nx: y' }, {}, /token.*HF_TOKEN/],
    ['a token that is empty', {}, { token: '' }, /token/],
    ['negative retries', {}, { retries: -1 }, /retries/],
    ['a wait without end', {}, { stallTimeLimitMs: Infinity }, /stallTimeLimitMs/],
    ['an unknown option', {}, { tokens: 'secret' } as HubOptions, /tokens/],
  ])('%s', async (_, environment, options, message) => {
    const error: unknown = await settingsOf(environment, options).catch((cause: unknown) => cause)
    expect(error).toMatchObject({ code: 'SETTING_INVALID', message: expect.stringMatching(message) as unknown })
    expect(String(error)).not.toContain('secret')
  })

  test('a token file that can not be read', async () => {
    mkdirSync(folder.file('token'))
    await expect(settingsOf({})).rejects.toMatchObject({ code: 'SETTING_INVALID', message: expect.stringContaining('token file') as unknown })
  })
})
