import { setTimeout as sleep } from 'node:timers/promises'

/** Clock, timer and chance of a sink; tests bring their own. */
export interface SinkTime {
  /** Milliseconds since 1970. */
  now(): number
  /** Resolves after this many milliseconds, or at once when the signal is aborted. */
  wait(ms: number, signal: AbortSignal): Promise<void>
  /** From 0 to below 1. */
  random(): number
}

/** The longest time that a timer of Node can wait: about 24 days. */
export const LONGEST_WAIT_MS = 2 ** 31 - 1

/** The computer's own. */
export const systemTime: SinkTime = {
  now: Date.now,
  random: Math.random,
  wait: async (ms, signal) => {
    await sleep(ms, undefined, { signal }).catch((error: unknown) => {
      if (!signal.aborted) throw error
    })
  },
}

/** Aborts after this many milliseconds, unless the work has ended by then. */
export async function withTimeLimit<T>(
  { time, ms }: { readonly time: SinkTime; readonly ms: number },
  abort: () => void,
  work: () => Promise<T>,
): Promise<T> {
  const done = new AbortController()
  void time.wait(ms, done.signal).then(() => {
    if (!done.signal.aborted) abort()
  })
  try {
    return await work()
  } finally {
    done.abort()
  }
}
