import { pullCheckpoint } from '../model/checkpoint/hub/pull.js'
import { onInterrupt } from './interrupt.js'
import { createProgress } from './progress.js'
import type { Reporter } from './reporter.js'

/** How a checkpoint is pulled. */
export interface PullSettings {
  /** Whether what is in the cache already is read again. */
  readonly verify: boolean
  readonly reporter: Reporter
}

/** Pulls a checkpoint and prints its folder. Ctrl-C keeps what came so far for the next time. */
export async function pull(repository: string, { verify, reporter }: PullSettings): Promise<void> {
  const progress = createProgress('pulling')
  const abort = new AbortController()
  const forget = onInterrupt(reporter, 'stopping: what came so far is kept', () => {
    abort.abort()
  })
  try {
    const folder = await pullCheckpoint(repository, {
      signal: abort.signal,
      verify,
      onWait: ({ status, waitMs }) => {
        progress.end()
        reporter.warning(`the hub answered ${status} and asks to wait: going on in ${Math.ceil(waitMs / 1000)} s`)
      },
      onProgress: ({ file, ...bytes }) => {
        progress.update({ stage: file, ...bytes })
      },
    })
    progress.end()
    process.stdout.write(`${folder}\n`)
  } finally {
    progress.end()
    forget()
  }
}
