import { createInterface } from 'node:readline'

/** Where questions are typed: `process.stdin`, or any other stream. */
export type QuestionInput = NodeJS.ReadableStream & { readonly isTTY?: boolean }

/**
 * Gives the lines of an input that aren't blank, each when it is asked for; on a terminal after a `> ` on stderr. Ends with the
 * input (Ctrl-D), or when the signal is aborted.
 */
export async function* typedQuestions(input: QuestionInput, signal: AbortSignal): AsyncGenerator<string> {
  const isTerminal = input.isTTY === true
  const lines = createInterface({ input, signal, ...(isTerminal && { output: process.stderr, prompt: '> ' }) })
  // A terminal's line editor keeps Ctrl-C to itself.
  lines.on('SIGINT', () => process.emit('SIGINT', 'SIGINT'))
  const ask = (): void => {
    if (isTerminal && !signal.aborted) lines.prompt()
  }
  try {
    ask()
    for await (const line of lines) {
      if (line.trim() !== '') yield line.trim()
      ask()
    }
  } finally {
    lines.close()
  }
}
