import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { type TemporaryFolder, temporaryFolder } from '../support/checkpoint-files.js'
import { silentAfter, status as answer } from '../support/hub-behaviours.js'
import { type HubServer, commitOf, startHubServer } from '../support/hub-server.js'
import { referencePath } from '../support/golden.js'
import { linesOf, runCli, startCli } from './spawn-cli.js'

const checkpoint = referencePath('cases/qwen2-group-16/checkpoint')
const files = Object.fromEntries(readdirSync(checkpoint).map((name) => [name, readFileSync(join(checkpoint, name))]))
const repository = { files: { ...files, 'modeling.py': 'code' }, readers: ['hf_secret'] }

let folder: TemporaryFolder
let server: HubServer
let env: Readonly<Record<string, string>>
beforeEach(async () => {
  folder = temporaryFolder()
  server = await startHubServer({ 'org/model': repository }, { tokens: ['hf_secret', 'hf_other'] })
  env = { HF_ENDPOINT: server.endpoint, HF_HOME: folder.path, HF_HUB_CACHE: '', HF_TOKEN: 'hf_secret', HF_TOKEN_PATH: '', HF_HUB_OFFLINE: '' }
})
afterEach(async () => {
  await server.close()
  folder.remove()
})

const snapshot = (): string => folder.file(`hub/models--org--model/snapshots/${commitOf(repository)}`)

describe('pull', () => {
  test('prints the folder of a checkpoint, which can be converted, and says how far it is', async () => {
    const pulled = await runCli(['pull', 'org/model'], { env })
    expect(pulled).toMatchObject({ status: 0, stdout: `${snapshot()}\n` })
    expect(linesOf(pulled.stderr)).toContain('pulling: config.json (from 0 %)')
    const bundle = folder.file('bundle')
    expect(await runCli(['convert', pulled.stdout.trim(), '--out', bundle])).toMatchObject({ status: 0, stdout: `${bundle}\n` })
  })

  test('finds it in the cache where nothing may be asked', async () => {
    await runCli(['pull', 'org/model'], { env })
    await server.close()
    expect(await runCli(['pull', 'org/model'], { env: { ...env, HF_HUB_OFFLINE: '1' } })).toEqual({ status: 0, stdout: `${snapshot()}\n`, stderr: '' })
    server = await startHubServer({})
  })

  test('keeps what came where it is interrupted, and goes on with it', async () => {
    server.behave(...Array.from({ length: 20 }, () => silentAfter(100)))
    const running = startCli(['pull', 'org/model'], { env })
    await running.whenSaid('pulling: ')
    running.child.kill('SIGINT')
    const { status, stderr } = await running.end
    expect(status).toBe(1)
    expect(stderr).toContain('warning: stopping: what came so far is kept')
    expect(stderr).toContain('ABORTED: Pulling org/model was stopped')
    await server.close()
    server = await startHubServer({ 'org/model': repository }, { tokens: ['hf_secret'] })
    expect(await runCli(['pull', 'org/model'], { env: { ...env, HF_ENDPOINT: server.endpoint } })).toMatchObject({ status: 0, stdout: `${snapshot()}\n` })
  })

  test('with --verify reads what is in the cache, too', async () => {
    await runCli(['pull', 'org/model'], { env })
    const config = join(snapshot(), 'config.json')
    const spoilt = Buffer.alloc(statSync(config).size)
    writeFileSync(config, spoilt)
    await runCli(['pull', 'org/model'], { env })
    expect(readFileSync(config).equals(spoilt)).toBe(true)
    expect(await runCli(['pull', 'org/model', '--verify'], { env })).toMatchObject({ status: 0, stdout: `${snapshot()}\n` })
    expect(readFileSync(config).equals(files['config.json'] ?? spoilt)).toBe(true)
  })

  test('says that it was asked to wait, and can be interrupted meanwhile', async () => {
    server.behave(answer(429, { ratelimit: '"resolvers";r=0;t=300' }))
    const running = startCli(['pull', 'org/model'], { env })
    await running.whenSaid('asks to wait')
    running.child.kill('SIGINT')
    const { status, stderr } = await running.end
    expect(status).toBe(1)
    expect(stderr).toMatch(/warning: the hub answered 429 and asks to wait: going on in 301 s/)
    expect(stderr).toContain('ABORTED: ')
  })

  test.each([
    [['pull', 'org/none'], {}, 1, 'HUB_REPOSITORY_UNKNOWN: '],
    [['pull', 'org/model', '--verbose'], { HF_TOKEN: 'hf_other' }, 1, 'HUB_REPOSITORY_UNKNOWN: '],
    [['pull', 'org/model@nope'], {}, 1, 'HUB_REVISION_UNKNOWN: '],
    [['pull', 'org/model', '--verbose'], { HF_TOKEN: 'hf_wrong' }, 1, 'HUB_UNAUTHORIZED: '],
    [['pull', 'org/model'], { HF_HUB_OFFLINE: '1' }, 1, 'HUB_OFFLINE: '],
    [['pull', './model'], {}, 1, 'SETTING_INVALID: '],
    [['pull'], {}, 2, 'missing required argument'],
    [['pull', ' '], {}, 2, 'empty'],
  ])('%j with %j says what to do, without the token', async (args, variables, status, message) => {
    const end = await runCli(args, { env: { ...env, ...variables } })
    expect(end).toMatchObject({ status, stdout: '', stderr: expect.stringContaining(message) as unknown })
    expect(end.stderr).not.toMatch(/hf_(?:secret|other|wrong)/)
  })
})

test('convert of what is a repository’s name says to pull it first', async () => {
  const end = await runCli(['convert', 'org/model', '--out', folder.file('bundle')], { env, cwd: folder.path })
  expect(end.status).toBe(1)
  expect(end.stderr).toMatch(/CHECKPOINT_NOT_FOUND: .*tinyllava-stream pull org\/model/)
})
