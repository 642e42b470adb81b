import { Subject, from, ignoreElements, map, mergeMap, tap } from 'rxjs'
import { describe, expect, test } from 'vitest'

import { definePipeline } from '../../src/service/define-pipeline.js'
import type { Pipeline } from '../../src/service/define-pipeline.js'
import type { RunEvent } from '../../src/service/events.js'
import { inTurn } from '../../src/service/in-turn.js'
import { SourceEntry } from '../../src/service/source-entry.js'
import { start } from '../../src/service/start.js'
import { StreamTurns } from '../../src/service/stream-turns.js'
import type { FrameStream, Source } from '../../src/sources/source.js'
import { at, createInstantModel, settled } from '../operators/fakes.js'
import { createHandSource } from './fakes.js'
import type { HandSource } from './fakes.js'

/** Runs sources with a chain that hands nothing on; gives which streams were begun, in this order. */
function run(sources: readonly Source[]) {
  const stream: Pipeline['stream'] = (frames) => frames.pipe(ignoreElements())
  const started = start(definePipeline({ name: 'test', model: createInstantModel(), sources, stream }))
  const events: RunEvent[] = []
  started.events$.subscribe((event) => events.push(event))
  const begun = () => events.flatMap((event) => (event.kind === 'stream-start' ? [event.streamId] : []))
  return { ...started, begun }
}

const files = (...ids: readonly string[]): readonly HandSource[] => ids.map((id) => createHandSource(id))

/** A source of several finite streams. */
const folder = (id: string, videos: readonly HandSource[]): Source => ({
  ...{ kind: 'fake', id },
  streams: from(videos).pipe(mergeMap(({ streams }) => streams)),
})

describe('finite streams', () => {
  test('of a paused source hold no other back', async () => {
    const [a, b, c] = [createHandSource('a'), createHandSource('b'), createHandSource('c')]
    const { sources, stop, begun } = run([a, b])
    await settled()
    sources.pause('a')
    sources.pause('b')
    sources.add(c)
    await settled()
    expect(begun()).toEqual(['a', 'b', 'c'])
    await sources.remove('c')
    expect([a, b, c].map(({ frames }) => frames.observed)).toEqual([true, true, false])
    await stop()
  })

  test('that wait aren’t begun while their source is paused', async () => {
    const videos = files('a', 'b', 'c', 'd')
    const { sources, stop, begun } = run([folder('folder', videos)])
    await settled()
    sources.pause('folder')
    at(videos, 0).frames.complete()
    await settled()
    expect(begun()).toEqual(['a', 'b'])
    sources.resume('folder')
    await settled()
    expect(begun()).toEqual(['a', 'b', 'c'])
    await stop()
  })

  test('count again when their source is resumed', async () => {
    const videos = files('a', 'b', 'c', 'd')
    const { sources, stop, begun } = run(videos)
    await settled()
    sources.pause('a')
    await settled()
    expect(begun()).toEqual(['a', 'b', 'c'])
    sources.resume('a')
    at(videos, 1).frames.complete()
    await settled()
    expect(begun()).toEqual(['a', 'b', 'c'])
    at(videos, 2).frames.complete()
    await settled()
    expect(begun()).toEqual(['a', 'b', 'c', 'd'])
    await stop()
  })

  test('that wait are let go when their source is removed, whatever the others do', async () => {
    const { sources, stop, begun } = run([createHandSource('a'), createHandSource('b'), folder('folder', files('c', 'd'))])
    await settled()
    expect(sources.list().map(({ streams }) => streams.length)).toEqual([1, 1, 2])
    await sources.remove('folder')
    await stop()
    expect(begun()).toEqual(['a', 'b'])
  })

  test('of several sources have their turns one source after the other', async () => {
    const videos = files('a', 'b', 'c', 'd')
    const { sources, stop, begun } = run([folder('folder', videos)])
    await settled()
    sources.add(createHandSource('late'))
    at(videos, 0).frames.complete()
    await settled()
    at(videos, 1).frames.complete()
    await settled()
    expect(begun()).toEqual(['a', 'b', 'c', 'late'])
    await stop()
  })

  test('of a source that keeps account of what was delivered wait for none of another', async () => {
    const streams = new Subject<FrameStream>()
    const topic: Source = { kind: 'fake', id: 'topic', streams, open: () => streams }
    const { stop, begun } = run([createHandSource('a'), createHandSource('b'), topic])
    await settled()
    for (const { stream: info, frames } of files('c', 'd', 'e')) streams.next({ info, frames })
    await settled()
    expect(begun()).toEqual(['a', 'b', 'c', 'd'])
    const stopping = stop()
    streams.complete()
    await stopping
  })

  test('that are revoked while they wait are over', async () => {
    const streams = new Subject<FrameStream>()
    const { sources, stop, begun } = run([{ kind: 'fake', id: 'topic', streams }])
    const revoked = new AbortController()
    await settled()
    for (const { stream: info, frames } of files('a', 'b', 'c')) streams.next({ info, frames, revoked: revoked.signal })
    sources.pause('topic')
    await settled()
    expect(sources.list()).toMatchObject([{ streams: [{ id: 'a' }, { id: 'b' }, { id: 'c' }] }])
    revoked.abort()
    await settled()
    expect(sources.list()).toMatchObject([{ state: 'paused', streams: [] }])
    expect(begun()).toEqual([])
    await stop()
  })
})

test('inTurn lets those that wait go when nobody is subscribed any more', async () => {
  const [turns, begun] = [new StreamTurns(1), [] as string[]]
  const entry = new SourceEntry(folder('folder', []), () => undefined)
  const streams = from(files('a', 'b')).pipe(
    map(({ stream: info, frames }) => ({ info, frames })),
    tap((stream) => {
      entry.add(stream)
    }),
  )
  const subscription = streams
    .pipe(inTurn(entry, { turns, stop: new AbortController().signal }))
    .subscribe(({ stream }) => begun.push(stream.info.id))
  expect(entry.status().streams).toHaveLength(2)
  subscription.unsubscribe()
  turns.wait({ isPaused: false }, () => begun.push('another'))
  await settled()
  expect([entry.status().streams, begun]).toEqual([[], ['another']])
})
