import type { ErrorResult, Result } from '../envelope.js'
import { StreamError } from '../errors.js'
import { errorOf } from '../operators/result.js'
import { print, printable } from '../sinks/print.js'
import type { TextOutput } from '../sinks/print.js'
import type { Sink } from '../sinks/sink.js'

/** How `ask` prints. */
export interface AnswerOutputOptions {
  /** A line of JSON a result, errors too. */
  readonly isJson: boolean
  /** Print each question above its answer. */
  readonly hasSeveral: boolean
  /** @default process.stdout */
  readonly output?: TextOutput
}

/** Prints answers as they come and remembers a question that failed. */
export function answerOutput({ isJson, hasSeveral, output = process.stdout }: AnswerOutputOptions) {
  let failed: ErrorResult | undefined
  const sink: Sink = {
    kind: 'answerOutput',
    write: async (result) => {
      if (result.kind === 'error') failed ??= result
      const text = isJson ? JSON.stringify(result) : plainText(result, hasSeveral)
      if (text !== undefined) await print(output, `${text}\n`)
    },
  }
  const throwIfFailed = (): void => {
    if (failed === undefined) return
    const error = errorOf(failed)
    throw hasSeveral ? new StreamError(error.code, `The question "${failed.question}": ${error.message}`) : error
  }
  return { sink, throwIfFailed }
}

function plainText(result: Result, hasSeveral: boolean): string | undefined {
  if (result.kind === 'error') return undefined
  const answer = printable(result.answer)
  return hasSeveral ? `${printable(result.question)}\n  ${answer.replaceAll('\n', '\n  ')}` : answer
}
