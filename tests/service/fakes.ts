import { Subject, map, of, range } from 'rxjs'
import type { Observable } from 'rxjs'

import type { Result } from '../../src/envelope.js'
import type { Sink } from '../../src/sinks/sink.js'
import type { Source } from '../../src/sources/source.js'
import type { Frame, StreamInfo } from '../../src/types.js'
import { createFrame, createStream } from '../operators/fakes.js'

/** A source of one stream whose frames are pushed by hand. */
export interface HandSource extends Source {
  readonly stream: StreamInfo
  readonly frames: Subject<Frame>
  /** Pushes so many frames. */
  push(count: number): void
}

export function createHandSource(id: string, changes: Partial<StreamInfo> = {}): HandSource {
  const [stream, frames] = [createStream({ id, ...changes }), new Subject<Frame>()]
  return {
    ...sourceOf(id, stream, frames),
    stream,
    frames,
    push: (count) => {
      const first = stream.ledger.counts().handedOut
      for (let index = first; index < first + count; index += 1) frames.next(createFrame(stream, index))
    },
  }
}

/** A source of one finite stream that gives all its frames at once. */
export function createListSource(id: string, count: number): Source & { readonly stream: StreamInfo } {
  const stream = createStream({ id })
  const frames = range(0, count).pipe(map((index) => createFrame(stream, index)))
  return { ...sourceOf(id, stream, frames), stream }
}

function sourceOf(id: string, info: StreamInfo, frames: Observable<Frame>): Source {
  return { kind: 'fake', id, streams: of({ info, frames }) }
}

/** A sink whose writes wait until the test settles them, unless it is told to take them all. */
export interface FakeSink extends Sink {
  readonly results: Result[]
  readonly calls: string[]
  readonly waiting: { resolve(): void; reject(error: unknown): void }[]
}

export function createFakeSink({ isSlow = false } = {}): FakeSink {
  const [results, calls, waiting]: [Result[], string[], FakeSink['waiting']] = [[], [], []]
  return {
    kind: 'fake',
    results,
    calls,
    waiting,
    open: () => {
      calls.push('open')
      return Promise.resolve()
    },
    write: (result) => {
      calls.push('write')
      results.push(result)
      return isSlow ? new Promise((resolve, reject) => waiting.push({ resolve, reject })) : Promise.resolve()
    },
    close: () => {
      calls.push('close')
      return Promise.resolve()
    },
  }
}
