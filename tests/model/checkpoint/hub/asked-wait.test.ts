/** Servers that say when to ask again: what they say, and pulls that do as they are told. Nothing waits here: who would is stopped. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { waitAskedBy } from '../../../../src/model/checkpoint/hub/asked-wait.js'
import type { HubWait } from '../../../../src/model/checkpoint/hub/connection.js'
import { type PullOptions, pullCheckpoint } from '../../../../src/model/checkpoint/hub/pull.js'
import { type TemporaryFolder, temporaryFolder } from '../../../support/checkpoint-files.js'
import { status } from '../../../support/hub-behaviours.js'
import { type HubServer, startHubServer } from '../../../support/hub-server.js'

describe('a server asks to wait', () => {
  const now = Date.UTC(2026, 0, 2, 3, 4, 5)
  test.each<readonly [number, Readonly<Record<string, string>>, number | undefined]>([
    [429, { 'retry-after': '55' }, 55_000],
    [503, { 'retry-after': ' 0 ' }, 0],
    [503, { 'retry-after': 'Fri, 02 Jan 2026 03:05:05 GMT' }, 60_000],
    [503, { 'retry-after': 'Fri, 02 Jan 2026 03:00:00 GMT' }, 0],
    [429, { ratelimit: '"api";r=0;t=158' }, 158_000],
    [429, { ratelimit: '"resolvers";r=0; t=7', 'retry-after': '9' }, 9_000],
    // Where no limit was met, the field only counts down.
    [503, { ratelimit: '"api";r=99;t=158' }, undefined],
    [429, { 'retry-after': 'soon' }, undefined],
    [429, { ratelimit: 'none' }, undefined],
    [429, {}, undefined],
  ])('%i with %j: %s ms', (code, headers, waitMs) => {
    expect(waitAskedBy({ status: code, headers: new Headers(headers) }, now)).toBe(waitMs)
  })
})

describe('a pull', () => {
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

  const pull = (options: PullOptions): Promise<unknown> =>
    pullCheckpoint('org/model', { endpoint: server.endpoint, cacheFolder: folder.path, token: 'hf_mine', offline: false, retryDelayMs: 0, ...options })
      .catch((error: unknown) => error)

  test('waits as long as it is asked to, and says so before', async () => {
    server.behave(status(429, { 'retry-after': '300' }))
    const abort = new AbortController()
    const waits: HubWait[] = []
    const onWait = (wait: HubWait): void => {
      waits.push(wait)
      setImmediate(() => { abort.abort() })
    }
    expect(await pull({ signal: abort.signal, onWait })).toMatchObject({ code: 'ABORTED' })
    expect(waits).toEqual([{ status: 429, waitMs: 300_000 }])
  })

  test('goes on afterwards', async () => {
    server.behave(status(503, { 'retry-after': '0' }), status(429, { ratelimit: '"resolvers";r=0;t=0' }))
    const waits: HubWait[] = []
    expect(await pull({ onWait: (wait) => void waits.push(wait) })).toContain(folder.path)
    expect(waits).toEqual([{ status: 503, waitMs: 0 }, { status: 429, waitMs: 0 }])
  })

  test('says nothing where nothing was asked', async () => {
    server.behave(status(503))
    const waits: HubWait[] = []
    expect(await pull({ onWait: (wait) => void waits.push(wait) })).toContain(folder.path)
    expect(waits).toEqual([])
  })

  test('doesn’t wait for longer than five minutes: it ends and says how long it was asked to', async () => {
    server.behave(status(503, { 'retry-after': '301' }))
    const waits: HubWait[] = []
    expect(await pull({ onWait: (wait) => void waits.push(wait) })).toMatchObject({
      code: 'HUB_UNREACHABLE', canRetry: true, message: expect.stringContaining('it answered 503 and asks to wait 301 s') as unknown,
    })
    expect(waits).toEqual([])
  })
})
