import { abortError, throwIfAborted } from '../../errors.js'

/** What is to be done, and who waits for it. */
export interface SharedTask {
  /** Does the work; the signal aborts when nobody waits for it any longer. */
  readonly begin: (signal: AbortSignal) => Promise<void>
  /** Of the one who waits. */
  readonly signal: AbortSignal
  /** Names the work for the message of who stops waiting. */
  readonly what: string
}

interface Work {
  readonly ended: Promise<void>
  readonly stopping: AbortController
  waiting: number
}

/** Does the same work once for all who want it: it is kept where it succeeds, and done anew after a failure. */
export class SharedWork {
  readonly #works = new Map<string, Work>()

  /**
   * Waits for the work of this name, which begins unless it was done or is under way. Rejects with what it fails
   * with, and with `ABORTED` when the signal aborts: others go on waiting, and with the last of them it is stopped.
   */
  async wait(name: string, { begin, signal, what }: SharedTask): Promise<void> {
    throwIfAborted(signal, what)
    const work = this.#works.get(name) ?? this.#begin(name, begin)
    work.waiting += 1
    try {
      await unlessAborted(work.ended, signal, what)
    } catch (error) {
      if (work.waiting === 1) this.#drop(name, work)
      throw error
    } finally {
      work.waiting -= 1
    }
  }

  #begin(name: string, begin: SharedTask['begin']): Work {
    const stopping = new AbortController()
    const work = { ended: begin(stopping.signal), stopping, waiting: 0 }
    this.#works.set(name, work)
    return work
  }

  #drop(name: string, work: Work): void {
    work.stopping.abort()
    if (this.#works.get(name) === work) this.#works.delete(name)
  }
}

/** What was begun ends as it does; who waits for it needn't. */
async function unlessAborted(ended: Promise<void>, signal: AbortSignal, what: string): Promise<void> {
  const settled = new AbortController()
  const aborted = new Promise<never>((_, reject) => {
    const stop = (): void => {
      reject(abortError(what, signal.reason))
    }
    signal.addEventListener('abort', stop, { signal: settled.signal })
  })
  try {
    await Promise.race([ended, aborted])
  } finally {
    settled.abort()
  }
}
