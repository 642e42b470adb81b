/** What is known of a file without opening it. */
export interface FileLook {
  readonly isFile: boolean
  readonly size: number
  /** When its content was last changed, in milliseconds. */
  readonly mtimeMs: number
  /** When its content, name or times were last changed, by the same clock. */
  readonly ctimeMs: number
  readonly ino: number
}

/** A file that nobody writes to any more. */
export interface FinishedFile {
  /** Path from the watched folder. */
  readonly name: string
  /** When its content was last changed, in milliseconds. */
  readonly modifiedMs: number
}

/** How many looks in a row must find a file as it was. */
export const QUIET_LOOKS = 4

interface Waiting {
  /** Whether it was there from the start. Such files are told by looks alone, so that all finished ones come in order. */
  readonly wasThere: boolean
  readonly signature: string
  readonly quietLooks: number
}

/**
 * Tells finished files from those that are still written, by looking at them again and again.
 *
 * A file is finished when `QUIET_LOOKS` looks in a row found its size and time unchanged; no clock of ours is
 * compared with that of the file system, which may be another machine's. A new one is finished at once when
 * its name or times were set `settleMs` after its content was: it was moved here, or copied by a tool that sets
 * the times at its end. An empty file is one that somebody is about to write.
 *
 * Keeps a line of text for each file that is there.
 */
export class Settling {
  readonly #waiting = new Map<string, Waiting>()
  readonly #finished = new Map<string, string>()
  readonly #look: (name: string) => Promise<FileLook | undefined>
  readonly #settleMs: number

  /** @param options.look Looks at a file; undefined where there is none. */
  constructor({ look, settleMs }: { look: (name: string) => Promise<FileLook | undefined>; settleMs: number }) {
    this.#look = look
    this.#settleMs = settleMs
  }

  /** Whether there is something to look at. */
  get isWaiting(): boolean {
    return this.#waiting.size > 0
  }

  /** A file has come, or was changed; or `wasThere` before anybody watched. */
  note(name: string, { wasThere = false } = {}): void {
    if (!this.#waiting.has(name)) this.#waiting.set(name, { wasThere, signature: '', quietLooks: 0 })
  }

  /** A file is gone. */
  forget(name: string): void {
    this.#waiting.delete(name)
    this.#finished.delete(name)
  }

  /** Looks at every file that is waiting; returns those that are finished now, each content once, sorted by name. */
  async look(): Promise<FinishedFile[]> {
    const finished: FinishedFile[] = []
    for (const name of [...this.#waiting.keys()].sort()) {
      const look = await this.#look(name)
      const before = this.#waiting.get(name)
      // It may have been forgotten meanwhile.
      if (before !== undefined && this.#isFinished(name, { look, before })) {
        finished.push({ name, modifiedMs: look?.mtimeMs ?? 0 })
      }
    }
    return finished
  }

  #isFinished(name: string, { look, before }: { look: FileLook | undefined; before: Waiting }): boolean {
    const signature = look === undefined ? '' : `${look.size} ${look.mtimeMs} ${look.ino}`
    if (look?.isFile !== true || look.size === 0 || signature === this.#finished.get(name)) {
      this.#waiting.delete(name)
      return false
    }
    const quietLooks = signature === before.signature ? before.quietLooks + 1 : 0
    const wasPutHere = !before.wasThere && look.ctimeMs - look.mtimeMs >= this.#settleMs
    const isFinished = quietLooks >= QUIET_LOOKS || wasPutHere
    if (isFinished) {
      this.#waiting.delete(name)
      this.#finished.set(name, signature)
    } else {
      this.#waiting.set(name, { ...before, signature, quietLooks })
    }
    return isFinished
  }
}
