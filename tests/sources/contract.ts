import { setImmediate as nextTurn } from 'node:timers/promises'

import { type Subscription, lastValueFrom, take, tap, toArray } from 'rxjs'
import { describe, expect, test, vi } from 'vitest'

import { StreamError } from '../../src/errors.js'
import type { Source } from '../../src/sources/source.js'
import type { Frame, StreamInfo } from '../../src/types.js'
import { onlyStream, readAll } from './helpers/frames.js'
import { childProcesses } from './helpers/processes.js'

/** What the contract needs to know of a kind of source. */
export interface ContractSubject {
  /** A source of one finite stream with at least 20 frames. */
  readonly make: (settings: { maxFramesInFlight: number }) => Source
  /** A source whose stream fails. */
  readonly makeBroken: () => Source
  /** Whether each run of the stream has a `StreamInfo` of its own, with the ledger of all. */
  readonly hasEpochs?: boolean
}

/** What every source of a finite stream must do. */
export function sourceContract(kind: string, { make, makeBroken, hasEpochs = false }: ContractSubject): void {
  describe(`${kind} keeps the contract of sources`, () => {
    test('says its kind and names its stream', async () => {
      const source = make({ maxFramesInFlight: 4 })
      const { info } = await onlyStream(source)
      expect(source.kind).toBe(kind)
      expect(info).toMatchObject({ kind, id: source.id, epoch: 0 })
    })

    test('opens nothing before the frames are subscribed to', async () => {
      const { info } = await onlyStream(make({ maxFramesInFlight: 4 }))
      await turns()
      expect(childProcesses()).toEqual([])
      expect(info.ledger.counts().handedOut).toBe(0)
    })

    test('never goes back in time', async () => {
      const { frames } = await readAll(make({ maxFramesInFlight: 4 }))
      expect(frames.length).toBeGreaterThanOrEqual(20)
      expect(frames[0]?.ptsMs).toBe(0)
      const isInOrder = (frame: Frame, place: number) => {
        const before = frames[place - 1]
        return before === undefined || (frame.ptsMs >= before.ptsMs && frame.index >= before.index)
      }
      expect(frames.every(isInOrder)).toBe(true)
    })

    test('hands out whole RGB pictures of its own stream', async () => {
      const { frames, info } = await readAll(make({ maxFramesInFlight: 4 }))
      const isOwn = (stream: StreamInfo) => (hasEpochs ? stream.id === info.id && stream.ledger === info.ledger : stream === info)
      expect(frames.every(({ stream }) => isOwn(stream))).toBe(true)
      expect(frames.every(({ width, height, data }) => data.length === width * height * 3)).toBe(true)
    })

    test('hands out pictures that fill the memory they lie in', async () => {
      const { frames } = await readAll(make({ maxFramesInFlight: 4 }))
      // Sent to another thread, a picture takes all of its buffer along. Shared memory isn't counted by the garbage
      // collector: a picture on it would stay for too long.
      const isAlone = ({ data: { buffer, byteLength } }: Frame) => buffer instanceof ArrayBuffer && buffer.byteLength === byteLength
      expect(frames.filter((frame) => !isAlone(frame))).toEqual([])
    })

    test('hands out no more than its budget to somebody who settles nothing', async () => {
      const { frames, info } = await onlyStream(make({ maxFramesInFlight: 4 }))
      const seen: Frame[] = []
      const subscription = frames.subscribe((frame) => seen.push(frame))
      await vi.waitFor(() => {
        expect(seen).toHaveLength(4)
      }, WAIT)
      await turns()
      expect(seen).toHaveLength(4)

      seen[0]?.receipt.settle({ kind: 'dropped', reason: 'test' })
      await vi.waitFor(() => {
        expect(seen).toHaveLength(5)
      }, WAIT)
      await turns()
      expect(info.ledger.counts()).toMatchObject({ handedOut: 5, framesInFlight: 4, dropped: { test: 1 } })
      await stop(subscription)
    })

    test('stops on unsubscribe and leaves no process behind', async () => {
      const { frames, info } = await onlyStream(make({ maxFramesInFlight: 20 }))
      await lastValueFrom(frames.pipe(take(2)))
      await vi.waitFor(() => {
        expect(childProcesses()).toEqual([])
      }, WAIT)
      await turns()
      expect(info.ledger.counts().handedOut).toBe(2)
    })

    test('can be stopped before its first frame', async () => {
      const { frames, info } = await onlyStream(make({ maxFramesInFlight: 4 }))
      await stop(frames.subscribe())
      expect(info.ledger.counts().handedOut).toBe(0)
    })

    test('accounts for every frame', async () => {
      const { frames, info } = await onlyStream(make({ maxFramesInFlight: 4 }))
      const outcomes = [{ kind: 'encoded' }, { kind: 'skipped' }, { kind: 'failed', code: 'MODEL_FAILED' }] as const
      const all = await lastValueFrom(
        frames.pipe(
          tap(({ receipt, index }) => {
            receipt.settle(outcomes[index % 3] ?? { kind: 'encoded' })
          }),
          toArray(),
        ),
      )
      const { handedOut, encoded, skipped, failed, framesInFlight } = info.ledger.counts()
      expect(handedOut).toBe(all.length)
      expect(encoded + skipped + failed).toBe(all.length)
      expect(Math.min(encoded, skipped, failed)).toBeGreaterThan(0)
      expect(framesInFlight).toBe(0)
      expect(info.health()).toEqual({ coverage: 1, warnings: [] })
    })

    test('errors with a coded error and leaves no process behind', async () => {
      const { frames } = await onlyStream(makeBroken())
      await expect(lastValueFrom(frames)).rejects.toBeInstanceOf(StreamError)
      await vi.waitFor(() => {
        expect(childProcesses()).toEqual([])
      }, WAIT)
    })
  })
}

/** A bound against hanging, never a measure of speed. */
export const WAIT = { timeout: 60_000, interval: 5 } as const

/** Lets everything that is due happen, without waiting for a clock. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 100; turn++) await nextTurn()
}

async function stop(subscription: Subscription): Promise<void> {
  subscription.unsubscribe()
  await vi.waitFor(() => {
    expect(childProcesses()).toEqual([])
  }, WAIT)
}
