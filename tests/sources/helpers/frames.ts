import { createHash } from 'node:crypto'

import { type Observable, lastValueFrom, mergeMap, tap, toArray } from 'rxjs'

import type { FrameStream, Source } from '../../../src/sources/source.js'
import type { Frame, StreamInfo } from '../../../src/types.js'

/** Reads a source to its end and settles each frame as it comes. */
export async function readAll(source: Source): Promise<{ frames: Frame[]; info: StreamInfo }> {
  let info: StreamInfo | undefined
  const frames = await lastValueFrom(
    source.streams.pipe(
      tap((stream) => {
        info = stream.info
      }),
      mergeMap((stream) => stream.frames),
      tap(({ receipt }) => {
        receipt.settle({ kind: 'encoded' })
      }),
      toArray(),
    ),
  )
  if (info === undefined) throw new Error('The source found no stream.')
  return { frames, info }
}

/** The one stream of a source. */
export async function onlyStream(source: Source): Promise<FrameStream> {
  return lastValueFrom(source.streams)
}

/** Resolves with the first `count` values, without ending the subscription. */
export function nextValues<Value>(values: Observable<Value>, count: number): Promise<Value[]> {
  return new Promise((resolve, reject) => {
    const seen: Value[] = []
    values.subscribe({
      next: (value) => {
        seen.push(value)
        if (seen.length === count) resolve(seen)
      },
      error: reject,
    })
  })
}

export function md5(data: Uint8Array): string {
  return createHash('md5').update(data).digest('hex')
}
