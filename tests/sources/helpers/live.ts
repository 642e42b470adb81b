import { onTestFinished, vi } from 'vitest'

import type { Source, SourceNotice } from '../../../src/sources/source.js'
import type { LedgerCounts } from '../../../src/ledger-counts.js'
import type { Frame, StreamInfo } from '../../../src/types.js'
import { WAIT } from '../contract.js'
import { onlyStream } from './frames.js'
import { childProcesses } from './processes.js'

/** Quick attempts, so that tests don't wait. */
export const QUICK = { minDelayMs: 20, maxDelayMs: 200 } as const

/** What came of a live stream so far; its frames without their pixels. */
export interface Watched {
  readonly info: StreamInfo
  readonly frames: readonly Omit<Frame, 'data'>[]
  readonly notices: readonly SourceNotice[]
  readonly ends: readonly unknown[]
  /** The epochs of the frames, in order, each once. */
  epochs(): readonly number[]
  /** The codes of the reconnects so far. */
  reasons(): readonly unknown[]
  /** Waits until so many more frames came. */
  more(count: number): Promise<void>
  until(condition: () => boolean): Promise<void>
  stop(): Promise<void>
}

/** Watches a live stream and settles each frame as it comes. */
export async function watchLive(source: Source): Promise<Watched> {
  const { info, frames: stream, notices: told } = await onlyStream(source)
  const [frames, notices, ends]: [Omit<Frame, 'data'>[], SourceNotice[], unknown[]] = [[], [], []]
  told?.subscribe((notice) => notices.push(notice))
  const subscription = stream.subscribe({
    next: ({ data, ...frame }) => {
      if (data.length !== frame.width * frame.height * 3) throw new Error('A picture is not whole.')
      frame.receipt.settle({ kind: 'encoded' })
      frames.push(frame)
    },
    error: (error: unknown) => ends.push(error),
    complete: () => ends.push('complete'),
  })
  const stop = async (): Promise<void> => {
    subscription.unsubscribe()
    await vi.waitUntil(() => childProcesses().length === 0, WAIT)
  }
  onTestFinished(() => {
    subscription.unsubscribe()
  })
  const until = async (condition: () => boolean): Promise<void> => {
    await vi.waitUntil(condition, { ...WAIT, timeout: 110_000 })
  }
  return {
    ...{ info, frames, notices, ends, stop, until },
    epochs: () => [...new Set(frames.map((frame) => frame.stream.epoch))],
    reasons: () => notices.filter(({ kind }) => kind === 'reconnect').map(({ fields }) => fields.code),
    more: (count) => {
      const wanted = frames.length + count
      return until(() => frames.length >= wanted)
    },
  }
}

/** Whether every frame that was handed out is accounted for. */
export function isBalanced({ handedOut, framesInFlight, dropped, ...counts }: LedgerCounts): boolean {
  const { encoded, static: repeated, forwarded, skipped, failed } = counts
  const droppedFrames = Object.values(dropped).reduce((sum, count) => sum + count, 0)
  return handedOut === encoded + repeated + forwarded + skipped + droppedFrames + failed + framesInFlight
}
