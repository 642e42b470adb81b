import { Subject, throwError } from 'rxjs'
import { afterEach, describe, expect, test } from 'vitest'

import { StreamError } from '../../../src/errors.js'
import type { FrameStream } from '../../../src/sources/source.js'
import { settled } from '../../operators/fakes.js'
import { createFakeSink, createHandSource } from '../fakes.js'
import { bodyOf, endServed, startServed } from './served-run.js'

afterEach(endServed)

describe('/livez', () => {
  test('says that the process answers, whatever the run does', async () => {
    const { get, run } = await startServed({ sources: [createHandSource('door')] })
    expect(await bodyOf(get('/livez'))).toEqual({ status: 'alive' })
    await run.stop()
    expect((await get('/livez')).status).toBe(200)
  })
})

describe('/readyz', () => {
  test('is 503 with the reason until the sinks and the model are there, and 200 from then on', async () => {
    const [opening, sink] = [new Subject<void>(), createFakeSink()]
    const open = (): Promise<void> => new Promise((resolve) => opening.subscribe(resolve))
    const { get } = await startServed({ sources: [createHandSource('door')], sinks: [{ ...sink, open }] })
    const starting = await get('/readyz')
    expect(starting.status).toBe(503)
    expect(await bodyOf(starting)).toEqual({
      ...{ status: 'unready', state: 'starting', reasons: ['The model is being loaded.'] },
    })
    opening.next()
    await settled()
    const running = await get('/readyz')
    expect({ status: running.status, body: await bodyOf(running) }).toEqual({
      status: 200,
      body: { status: 'ready', state: 'running', reasons: [] },
    })
  })

  test('is 503 while the run drains, and when it is over', async () => {
    const [source, sink] = [createHandSource('door', { isLive: true }), createFakeSink({ isSlow: true })]
    const { get, run } = await startServed({ sources: [source], sinks: [sink] })
    await settled()
    source.push(1)
    await settled()
    const stopping = run.stop()
    const draining = await get('/readyz')
    expect(draining.status).toBe(503)
    expect(await bodyOf(draining)).toMatchObject({ state: 'draining', reasons: [expect.stringContaining('stopping')] })
    for (const waiting of sink.waiting) waiting.resolve()
    await stopping
    expect(await bodyOf(get('/readyz'))).toMatchObject({ state: 'over', reasons: ['The run is over.'] })
  })

  test('is 503 once every source has failed', async () => {
    const [found, lost] = [new Subject<FrameStream>(), new StreamError('VIDEO_DAMAGED', 'It broke.')]
    const broken = { kind: 'fake', id: 'broken', streams: throwError(() => lost) }
    const late = { kind: 'fake', id: 'late', streams: found }
    const { get } = await startServed({ sources: [broken, late, createHandSource('door')] })
    await settled()
    expect((await get('/readyz')).status).toBe(200)
    const { get: getOther } = await startServed({ sources: [broken, late] })
    await settled()
    expect((await getOther('/readyz')).status).toBe(200)
    // The run is over as well then; both reasons are told.
    found.error(lost)
    await settled()
    const reason = 'All 2 sources have failed: VIDEO_DAMAGED.'
    expect(await bodyOf(getOther('/readyz'))).toMatchObject({ status: 'unready', reasons: expect.arrayContaining([reason]) as unknown })
  })
})
