import { throwError } from 'rxjs'
import { afterEach, describe, expect, test } from 'vitest'
import { z } from 'zod'

import { StreamError } from '../../../src/errors.js'
import { checkSettings } from '../../../src/settings.js'
import { at, settled } from '../../operators/fakes.js'
import { createHandSource } from '../fakes.js'
import type { HandSource } from '../fakes.js'
import { bodyOf, endServed, startServed } from './served-run.js'

afterEach(endServed)

/** Sources by JSON whose frames are pushed by hand, and one that is a mistake in code. */
function handFactories() {
  const made: HandSource[] = []
  const schema = z.strictObject({ id: z.string().min(1), password: z.string().optional() })
  const hand = (settings: unknown): HandSource => {
    const source = createHandSource(checkSettings('hand', schema, settings).id, { isLive: true })
    made.push(source)
    return source
  }
  const mistake = (): never => {
    throw new TypeError('of rtsp://admin:hunter2@door')
  }
  return { made, sourceFactories: { hand, mistake } }
}

describe('/sources', () => {
  test('lists each source with its state and counts', async () => {
    const source = createHandSource('door', { isLive: true })
    const { get } = await startServed({ sources: [source] })
    await settled()
    source.push(2)
    await settled()
    const totals = { handedOut: 2, encoded: 2, answered: 2, delivered: 2 }
    const streams = [{ id: 'door', epoch: 0, isLive: true, coverage: 1, counts: totals }]
    const expected = { sources: [{ id: 'door', kind: 'fake', state: 'running', totals, streams }] }
    expect(await bodyOf(get('/sources'))).toMatchObject(expected)
  })

  test('adds a source, pauses, resumes and removes it, without disturbing the others', async () => {
    const { made, sourceFactories } = handFactories()
    const first = createHandSource('first', { isLive: true })
    const { get, post, address } = await startServed({ sources: [first] }, { sourceFactories })
    await settled()
    const id = 'rooms/kitchen 1'
    const added = await post('/sources', { kind: 'hand', id })
    expect(added.status).toBe(201)
    expect(added.headers.get('location')).toBe('/sources/rooms%2Fkitchen%201')
    expect(await bodyOf(added)).toMatchObject({ id, kind: 'fake', state: 'running' })
    await settled()
    expect(at(made, 0).frames.observed).toBe(true)

    const path = added.headers.get('location') ?? ''
    expect(await bodyOf(post(`${path}/pause`))).toMatchObject({ id, state: 'paused' })
    expect(await bodyOf(post(`${path}/resume`, {}))).toMatchObject({ id, state: 'running' })
    const removed = await fetch(`${address}${path}`, { method: 'DELETE' })
    expect({ status: removed.status, text: await removed.text() }).toEqual({ status: 204, text: '' })
    expect(at(made, 0).frames.observed).toBe(false)
    expect(first.frames.observed).toBe(true)
    expect(await bodyOf(get('/sources'))).toMatchObject({ sources: [{ id: 'first', state: 'running' }] })
  })

  test.each([
    ['an id that is there', { kind: 'hand', id: 'first' }, 409, 'PIPELINE_INVALID', 'There is a source "first" already'],
    ['a kind that is not there', { kind: 'kafka', id: 'x' }, 400, 'PART_UNKNOWN', 'There are: hand, mistake.'],
    ['what every object has', { kind: 'constructor', id: 'x' }, 400, 'PART_UNKNOWN', 'There are: hand, mistake.'],
    ['no kind', { id: 'x' }, 400, 'SETTING_INVALID', '`kind`: '],
    ['a list', ['hand'], 400, 'SETTING_INVALID', 'source: '],
    ['wrong settings', { kind: 'hand', id: '', pasword: 'hunter2' }, 400, 'SETTING_INVALID', '`id`: '],
    ['a mistake in code', { kind: 'mistake' }, 500, 'UNEXPECTED', 'Something went wrong that nobody expected: see the log.'],
    ['a large body', { kind: 'hand', id: 'x'.repeat(70_000) }, 413, 'HTTP_TOO_LARGE', 'The body is too large.'],
  ])('refuses to add %s', async (_what, body, status, code, message) => {
    const { sourceFactories } = handFactories()
    const errors: unknown[] = []
    const onError = (error: unknown): void => void errors.push(error)
    const { post, run } = await startServed({ sources: [createHandSource('first')] }, { sourceFactories, onError })
    const refused = await post('/sources', body)
    expect(refused.status).toBe(status)
    const expected: unknown = expect.stringContaining(message)
    const text = await refused.text()
    expect(JSON.parse(text)).toMatchObject({ error: { code, message: expected } })
    expect(text).not.toContain('hunter2')
    expect(run.sources.list()).toHaveLength(1)
    expect(errors).toHaveLength(status === 500 ? 1 : 0)
  })

  test.each(['pause', 'resume'])('%s of a source that is not there is 404', async (action) => {
    const { post } = await startServed({ sources: [createHandSource('door')] })
    const response = await post(`/sources/window/${action}`)
    expect(response.status).toBe(404)
    expect(await bodyOf(response)).toMatchObject({ error: { code: 'SOURCE_UNKNOWN' } })
  })

  test('removing a source that is not there is 404', async () => {
    const { address } = await startServed({ sources: [createHandSource('door')] })
    expect((await fetch(`${address}/sources/window`, { method: 'DELETE' })).status).toBe(404)
  })

  test('shows no login of an address', async () => {
    const lost = new StreamError('VIDEO_DAMAGED', 'Lost rtsp://admin:hunter2@door/live?token=hunter2')
    const broken = { kind: 'fake', id: 'door', streams: throwError(() => lost) }
    const { get } = await startServed({ sources: [broken, createHandSource('other')] })
    await settled()
    const text = await (await get('/sources')).text()
    expect(text).toContain('rtsp://***@door/live?***')
    expect(text).not.toContain('hunter2')
  })
})

describe('the sources that can be added where nobody says otherwise', () => {
  test('file, image, directory and rtsp, with the checks of their own', async () => {
    const { post, run } = await startServed({ sources: [createHandSource('first')] })
    const fileBody = { kind: 'file', path: 'no-such.mp4', sampling: { kind: 'uniform', frames: 4 } }
    expect(await bodyOf(post('/sources', fileBody))).toMatchObject({ id: 'no-such.mp4', kind: 'file' })
    const wrong = { kind: 'file', path: 'other.mp4', sampling: { kind: 'uniform', frames: 0 } }
    expect(await bodyOf(post('/sources', wrong))).toMatchObject({ error: { code: 'SETTING_INVALID' } })
    const picture = { kind: 'image', path: 'no-such.jpg', orient: false, questions: ['Where is this?'] }
    expect(await bodyOf(post('/sources', picture))).toMatchObject({ id: 'no-such.jpg', kind: 'image' })
    expect(await bodyOf(post('/sources', { ...picture, id: 'other', sampling: { kind: 'all' } }))).toMatchObject({ error: { code: 'SETTING_INVALID' } })
    expect(await bodyOf(post('/sources', { kind: 'rtsp', url: 3 }))).toMatchObject({ error: { code: 'SETTING_INVALID' } })
    expect(await bodyOf(post('/sources', { kind: 'kafka' }))).toMatchObject({
      error: { message: expect.stringContaining('There are: directory, file, image, rtsp.') as unknown },
    })
    expect(run.sources.list().map(({ id }) => id)).toEqual(['first', 'no-such.mp4', 'no-such.jpg'])
  })

  test.each([
    ['the environment', { kind: 'rtsp', url: 'rtsp://127.0.0.1:1/x', passwordEnv: 'HOME' }, 'passwordEnv'],
    ['the environment', { kind: 'rtsp', url: 'rtsp://127.0.0.1:1/x', userEnv: 'HOME' }, 'userEnv'],
    ['a device that decodes', { kind: 'rtsp', url: 'rtsp://127.0.0.1:1/x', hwaccel: 'auto' }, 'hwaccel'],
    ['a device that decodes', { kind: 'file', path: 'x.mp4', hwaccel: 'auto' }, 'hwaccel'],
    ['a device that decodes', { kind: 'directory', path: '.', hwaccel: 'auto' }, 'hwaccel'],
    ['a folder to write to', { kind: 'file', path: 'http://127.0.0.1:1/x.mp4', download: { folder: '/' } }, 'download.folder'],
    ['a folder to write to', { kind: 'image', path: 'http://127.0.0.1:1/x.jpg', download: { folder: '/' } }, 'download.folder'],
  ])('a request cannot choose %s', async (_, body, path) => {
    const { post, run } = await startServed({ sources: [createHandSource('first')] })
    const response = await post('/sources', body)
    expect(response.status).toBe(400)
    const message = `${body.kind}: \`${path}\`: is not taken from a request`
    expect(await response.json()).toEqual({ error: { code: 'SETTING_INVALID', message } })
    expect(run.sources.list()).toHaveLength(1)
  })
})
