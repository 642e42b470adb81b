/** A system without symbolic links. There is none to be had here, so the one call that fails there is a fake that fails. */
import { existsSync, lstatSync, readFileSync, writeFileSync } from 'node:fs'
import type * as FileSystem from 'node:fs/promises'

import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { type PullOptions, pullCheckpoint } from '../../../../src/model/checkpoint/hub/pull.js'
import { type TemporaryFolder, temporaryFolder } from '../../../support/checkpoint-files.js'
import { type HubServer, etagOf, startHubServer } from '../../../support/hub-server.js'

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

const pull = (options: PullOptions = {}): Promise<string> =>
  pullCheckpoint('org/model', { endpoint: server.endpoint, cacheFolder: folder.path, token: 'hf_mine', offline: false, ...options })

test.each(['EPERM', 'ENOSYS', 'ENOTSUP'])('%s: files are copied to where links would be', async (code) => {
  failingSymlink.code = code
  const checkpoint = await pull()
  for (const [name, content] of Object.entries(files)) {
    expect(lstatSync(`${checkpoint}/${name}`).isFile()).toBe(true)
    expect(readFileSync(`${checkpoint}/${name}`, 'utf8')).toBe(content)
  }
})

test.each<[string, { spoilt: ('blob' | 'copy')[]; isFetched: boolean }]>([
  ['the copy', { spoilt: ['copy'], isFetched: false }],
  ['the blob', { spoilt: ['blob'], isFetched: false }],
  ['both', { spoilt: ['blob', 'copy'], isFetched: true }],
])('`verify` finds %s spoilt, and fetches the file where none is whole', async (_, { spoilt, isFetched }) => {
  failingSymlink.code = 'EPERM'
  const copy = `${await pull()}/model.safetensors`
  const blob = folder.file(`models--org--model/blobs/${etagOf('model.safetensors', 'weights')}`)
  for (const which of spoilt) writeFileSync({ blob, copy }[which], 'spoilt!')
  const asked = server.requests.length
  await pull({ verify: true })
  expect(readFileSync(copy, 'utf8')).toBe('weights')
  if (existsSync(blob)) expect(readFileSync(blob, 'utf8')).toBe('weights')
  expect(server.requests.slice(asked).some(({ path }) => path.endsWith('model.safetensors'))).toBe(isFetched)
})

test('any other failure is one', async () => {
  failingSymlink.code = 'EACCES'
  await expect(pull()).rejects.toMatchObject({ code: 'HUB_CACHE_NOT_WRITABLE' })
})
