import { afterEach, describe, expect, test } from 'vitest'

import { createHandSource } from '../fakes.js'
import { bodyOf, endServed, rawGet, startServed } from './served-run.js'

afterEach(endServed)

const sources = () => [createHandSource('door', { isLive: true })]
const token = 'a-token-of-many-characters'
const routes = ['/livez', '/readyz', '/metrics', '/sources', '/answers', '/no-such']

describe('without a token', () => {
  test.each(['127.0.0.1:8466', 'localhost', 'LocalHost:80', '[::1]:8466', '127.1.2.3'])('answers to %s', async (host) => {
    const { address } = await startServed({ sources: sources() })
    expect((await rawGet(`${address}/livez`, { host })).statusCode).toBe(200)
  })

  test.each(['evil.example', 'evil.example:8466', '127.0.0.1.evil.example', 'localhost.evil.example', '10.0.0.7'])(
    'a page behind the rebound name "%s" gets nothing',
    async (host) => {
      const { address } = await startServed({ sources: sources() })
      for (const route of routes) {
        const { statusCode, headers } = await rawGet(`${address}${route}`, { host })
        expect([route, statusCode, headers['content-type']]).toEqual([route, 403, 'application/json; charset=utf-8'])
      }
    },
  )

  test('no other site may read or ask first', async () => {
    const { address, get } = await startServed({ sources: sources() })
    const origin = 'https://evil.example'
    const asked = await fetch(`${address}/sources`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' },
    })
    expect(asked.status).toBe(404)
    for (const response of [asked, await get('/sources', { origin })]) {
      expect([...response.headers.keys()].filter((name) => name.startsWith('access-control-'))).toEqual([])
    }
  })

  test.each([
    undefined,
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/jsonp',
    'text/plain; application/json',
  ])('a POST of type %s, as a form of another site can send it, changes nothing', async (type) => {
    const { address, run } = await startServed({ sources: sources() })
    const headers: Record<string, string> = type === undefined ? {} : { 'content-type': type }
    const body = type === undefined ? null : '{"kind":"file","path":"a.mp4"}'
    for (const path of ['/sources', '/sources/door/pause']) {
      const response = await fetch(`${address}${path}`, { method: 'POST', headers, body })
      expect(response.status).toBe(415)
      expect(await bodyOf(response)).toMatchObject({ error: { code: 'HTTP_MEDIA_TYPE' } })
    }
    expect(run.sources.list()).toMatchObject([{ id: 'door', state: 'running' }])
  })

  test('a body that is no JSON is refused', async () => {
    const { address } = await startServed({ sources: sources() })
    const headers = { 'content-type': 'application/json; charset=utf-8' }
    const response = await fetch(`${address}/sources`, { method: 'POST', headers, body: '{ password: hunter2 }' })
    expect(response.status).toBe(400)
    const text = await response.text()
    expect(JSON.parse(text)).toMatchObject({ error: { code: 'HTTP_REQUEST_INVALID' } })
    expect(text).not.toContain('hunter2')
  })
})

describe('with a token', () => {
  test.each([undefined, 'Bearer', 'Bearer ', `Bearer ${token}x`, `Basic ${token}`, token])(
    'who sends %j only learns whether the process lives',
    async (authorization) => {
      const { get } = await startServed({ sources: sources() }, { token })
      const headers: Record<string, string> = authorization === undefined ? {} : { authorization }
      const statuses = await Promise.all(routes.map(async (route) => (await get(route, headers)).status))
      expect(statuses).toEqual([200, 200, 401, 401, 401, 401])
      const refused = await get('/sources', headers)
      expect(refused.headers.get('www-authenticate')).toBe('Bearer')
      const text = await refused.text()
      expect(JSON.parse(text)).toMatchObject({ error: { code: 'HTTP_UNAUTHORIZED' } })
      expect(text).not.toContain(token)
    },
  )

  test('who knows it gets in, by whatever name', async () => {
    const { address } = await startServed({ sources: sources() }, { token })
    const headers = { authorization: `Bearer ${token}`, host: 'videos.example' }
    expect((await rawGet(`${address}/sources`, headers)).statusCode).toBe(200)
  })
})

test('what is not there is 404, and says what is', async () => {
  const { get, address } = await startServed({ sources: sources() })
  for (const response of [await get('/'), await fetch(`${address}/sources`, { method: 'PUT' })]) {
    expect(response.status).toBe(404)
    const message: unknown = expect.stringContaining('/livez, /readyz, /metrics, /sources and /answers')
    expect(await bodyOf(response)).toMatchObject({ error: { code: 'HTTP_NOT_FOUND', message } })
  }
  expect((await get('/sources/%E0%A4%A/pause')).status).toBe(400)
})
