import type { AnswerEvent } from '../operators/run-context.js'
import { print, printable } from '../sinks/print.js'
import type { TextOutput } from '../sinks/print.js'

/** An answer that is printed as the model makes it. */
export interface LiveAnswer {
  readonly onEvent: (event: AnswerEvent) => void
  /** Ends its line. Rejects with `SINK_FAILED` where the output is closed. */
  readonly end: () => Promise<void>
}

/** Prints an answer's text piece by piece; one that is begun again, on a new line. */
export function createLiveAnswer(output: TextOutput = process.stdout): LiveAnswer {
  let hasText = false
  let printed = Promise.resolve()
  const write = (text: string): void => {
    printed = printed.then(() => print(output, text))
    // Told of by `end`.
    printed.catch(() => undefined)
  }
  return {
    onEvent: (event) => {
      if (event.kind === 'answer-start' && hasText) write('\n')
      if (event.kind !== 'answer-delta') return
      hasText = true
      write(printable(event.text))
    },
    end: () => {
      write('\n')
      return printed
    },
  }
}
