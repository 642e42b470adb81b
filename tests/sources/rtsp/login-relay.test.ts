import { once } from 'node:events'
import { type Socket, connect } from 'node:net'
import { text } from 'node:stream/consumers'

import { describe, expect, onTestFinished, test } from 'vitest'

import { openLoginRelay } from '../../../src/sources/rtsp/login-relay.js'

const TARGET = 'rtsp://admin:secret@camera/live'

async function open(): Promise<{ url: URL; dial: () => Promise<Socket> }> {
  const relay = await openLoginRelay(TARGET)
  onTestFinished(relay.close)
  const url = new URL(relay.url)
  const dial = async () => {
    const socket = connect(Number(url.port), url.hostname)
    await once(socket, 'connect')
    return socket
  }
  return { url, dial }
}

describe('openLoginRelay', () => {
  test('tells the camera to whoever knows its path', async () => {
    const { url, dial } = await open()
    expect(url.hostname).toBe('127.0.0.1')
    const socket = await dial()
    // In two parts, as a network may bring it.
    socket.write(`OPTIONS ${url.href} RTSP/1.0\r\nCSe`)
    socket.write('q: 7\r\n\r\n')
    expect(await text(socket)).toBe(`RTSP/1.0 302 Found\r\nCSeq: 7\r\nLocation: ${TARGET}\r\n\r\n`)
  })

  test('tells nobody else', async () => {
    const { url, dial } = await open()
    const socket = await dial()
    socket.write(`OPTIONS rtsp://${url.host}/guessed RTSP/1.0\r\nCSeq: 1\r\n\r\n`)
    const answer = await text(socket)
    expect(answer).toContain('404')
    expect(answer).not.toContain('secret')
  })

  test('answers one connection only, and none that sends no end of a request', async () => {
    const { dial } = await open()
    const socket = await dial()
    socket.on('error', () => undefined)
    const closed = once(socket, 'close')
    socket.write('x'.repeat(5000))
    await closed
    await expect(dial()).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })
})
