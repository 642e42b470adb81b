import type { SinkTime } from '../../src/sinks/webhook-time.js'

/** A clock that the test moves, and its timers. */
export interface FakeTime extends SinkTime {
  /** Lets time pass; wakes who has waited long enough. */
  advance(ms: number): void
  /** Resolves once somebody waits for exactly so long. */
  whenWaiting(ms: number): Promise<void>
}

/** Starts at 2026-11-23 10:15. */
export function createFakeTime(chance = 0): FakeTime {
  let nowMs = Date.parse('2026-11-23T10:15:00.000Z')
  const sleepers = new Set<{ readonly ms: number; readonly untilMs: number; readonly wake: () => void }>()
  const watchers = new Set<() => void>()
  return {
    now: () => nowMs,
    random: () => chance,
    wait: (ms, signal) =>
      new Promise((resolve) => {
        const sleeper = {
          ms,
          untilMs: nowMs + ms,
          wake: () => {
            sleepers.delete(sleeper)
            signal.removeEventListener('abort', sleeper.wake)
            resolve()
          },
        }
        if (signal.aborted || ms === 0) {
          resolve()
          return
        }
        sleepers.add(sleeper)
        signal.addEventListener('abort', sleeper.wake)
        for (const check of [...watchers]) check()
      }),
    advance: (ms) => {
      nowMs += ms
      for (const { untilMs, wake } of [...sleepers]) if (untilMs <= nowMs) wake()
    },
    whenWaiting: (ms) =>
      new Promise((resolve) => {
        const check = (): void => {
          if (![...sleepers].some((sleeper) => sleeper.ms === ms)) return
          watchers.delete(check)
          resolve()
        }
        watchers.add(check)
        check()
      }),
  }
}
