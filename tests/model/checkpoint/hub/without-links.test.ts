/** A system without symbolic links. There is none to be had here, so the one call that fails there is a fake that fails. */
import { lstatSync, readFileSync } from 'node:fs'
import type * as FileSystem from 'node:fs/promises'

import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { pullCheckpoint } from '../../../../src/model/checkpoint/hub/pull.js'
import { type TemporaryFolder, temporaryFolder } from '../../../support/checkpoint-files.js'
import { type HubServer, startHubServer } from '../../../support/hub-server.js'

const failingSymlink = vi.hoisted(() => ({ code: 'EPERM' }))
vi.mock('node:fs/promises', async (original) => ({
  ...(await original<typeof FileSystem>()),
  symlink: (): Promise<void> => Promise.reject(Object.assign(new Error('no links here'), { code: failingSymlink.code, syscall: 'symlink' })),
}))

const files = { 'config.json': '{}', 'model.safetensors': 'weights' }
let folder: TemporaryFolder
let server: HubServer
beforeEach(async () => {
  folder = temporaryFolder()
  server = await startHubServer({ 'org/model': { files } }, { tokens: ['hf_mine'] })
})
afterEach(async () => {
  await server.close()
  folder.remove()
})

const pull = (): Promise<string> => pullCheckpoint('org/model', { endpoint: server.endpoint, cacheFolder: folder.path, token: 'hf_mine', offline: false })

test.each(['EPERM', 'ENOSYS', 'ENOTSUP'])('%s: files are copied to where links would be', async (code) => {
  failingSymlink.code = code
  const checkpoint = await pull()
  for (const [name, content] of Object.entries(files)) {
    expect(lstatSync(`${checkpoint}/${name}`).isFile()).toBe(true)
    expect(readFileSync(`${checkpoint}/${name}`, 'utf8')).toBe(content)
  }
})

test('any other failure is one', async () => {
  failingSymlink.code = 'EACCES'
  await expect(pull()).rejects.toMatchObject({ code: 'HUB_CACHE_NOT_WRITABLE' })
})
