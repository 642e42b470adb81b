import { createInterface } from 'node:readline'

/** Where questions are typed: `process.stdin`, or any other stream. */
export type QuestionInput = NodeJS.ReadableStream & { readonly isTTY?: boolean }

/**
 * Gives the lines of an input that aren't blank, each when it is asked for; on a terminal after a `> ` on stderr. Ends with the
 * input (Ctrl-D), or when the signal is aborted.
 *
 * @param output Where a terminal's prompt goes; what is said after its last one begins on a line of its own. @default process.stderr
 */
export async function* typedQuestions(
  input: QuestionInput,
  signal: AbortSignal,
  output: NodeJS.WritableStream = process.stderr,
): AsyncGenerator<string> {
  const isTerminal = input.isTTY === true
  const lines = createInterface({ input, signal, ...(isTerminal && { output, prompt: '> ' }) })
  // A terminal's line editor keeps Ctrl-C to itself.
  lines.on('SIGINT', () => {
    output.write('\n')
    process.emit('SIGINT', 'SIGINT')
  })
  const ask = (): void => {
    if (isTerminal && !signal.aborted) lines.prompt()
  }
  try {
    ask()
    for await (const line of lines) {
      if (line.trim() !== '') yield line.trim()
      ask()
    }
    if (isTerminal && !signal.aborted) output.write('\n')
  } finally {
    lines.close()
  }
}
