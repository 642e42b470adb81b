import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'

import { afterEach, describe, expect, test } from 'vitest'

import type { ServeOptions } from '../../../src/service/http/http-settings.js'
import { createHandSource } from '../fakes.js'
import { endServed, startServed } from './served-run.js'

afterEach(endServed)

const refusal = (code: string, message: string): unknown =>
  expect.objectContaining({ code, message: expect.stringContaining(message) as unknown })

describe('serve', () => {
  test('says where it listens: on this machine alone, unless it is told otherwise', async () => {
    const { address } = await startServed({ sources: [] })
    expect(address).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    const { address: sixth } = await startServed({ sources: [] }, { host: '::1' })
    expect(sixth).toMatch(/^http:\/\/\[::1\]:\d+$/)
    expect((await fetch(`${sixth}/livez`)).status).toBe(200)
    const { address: all } = await startServed({ sources: [] }, { host: '0.0.0.0', token: 't'.repeat(16) })
    expect(all).toMatch(/^http:\/\/0\.0\.0\.0:\d+$/)
  })

  test.each<[ServeOptions, string]>([
    [{ host: '0.0.0.0' }, 'give it a token of at least 16 characters, or listen on 127.0.0.1'],
    [{ host: '::' }, 'Other machines can reach ::'],
    [{ host: 'localhost.example' }, 'Other machines can reach localhost.example'],
    [{ token: 'short' }, '`token`: '],
    [{ port: 65_536 }, '`port`: '],
    [{ port: 1.5, maxClients: -1, heartbeatMs: 0 }, '`heartbeatMs`: '],
    [{ tokens: 'hunter2-hunter2-hunter2' } as ServeOptions, 'tokens'],
    [{ onError: 3 } as unknown as ServeOptions, '`onError`: '],
    [{ metrics: { maxSources: 0 } }, '`metrics.maxSources`: '],
  ])('refuses %j', async (options, message) => {
    const starting = startServed({ sources: [] }, options)
    await expect(starting).rejects.toEqual(refusal('SETTING_INVALID', message))
    await expect(starting).rejects.not.toThrow('hunter2')
  })

  test('a port that is taken is said so, with what to do', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    const message = `Can't listen on 127.0.0.1, port ${port}: something listens there already: choose another port, or 0`
    await expect(startServed({ sources: [] }, { port })).rejects.toEqual(refusal('HTTP_LISTEN_FAILED', message))
    other.close()
  })

  test('an address that is not of this machine is said so', async () => {
    const elsewhere = { host: '192.0.2.1', token: 't'.repeat(16) }
    const message = 'it is no address of this machine'
    await expect(startServed({ sources: [] }, elsewhere)).rejects.toEqual(refusal('HTTP_LISTEN_FAILED', message))
  })

  test('close ends connections and leaves the run alone; the run’s end leaves the server alone', async () => {
    const source = createHandSource('door', { isLive: true })
    const { get, run, close, address } = await startServed({ sources: [source] })
    const reading = await get('/answers')
    await close()
    expect(await reading.text()).toContain('event: end')
    await expect(fetch(`${address}/livez`)).rejects.toThrow()
    expect(run.status().state).toBe('running')
    expect(source.frames.observed).toBe(true)

    const { get: getAfter, run: other } = await startServed({ sources: [] })
    await other.stop()
    expect((await getAfter('/metrics')).status).toBe(200)
    expect((await getAfter('/answers')).status).toBe(503)
  })
})
