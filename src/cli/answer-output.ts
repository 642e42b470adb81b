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
  /** How many are asked. Of several, each is printed above its answer. */
  readonly questions: number
  /** @default process.stdout */
  readonly output?: TextOutput
  /** Told what the text doesn't say of a result. @default nobody */
  readonly warn?: (message: string) => void
}

/** Prints answers as they come; remembers a question that failed, and whether all of them came. */
export function answerOutput({ isJson, questions, output = process.stdout }: AnswerOutputOptions) {
  let failed: { readonly result: ErrorResult; readonly place: number } | undefined
  let count = 0
  const sink: Sink = {
    kind: 'answerOutput',
    write: async (result) => {
      count += 1
      if (result.kind === 'error') failed ??= { result, place: count }
      const text = isJson ? JSON.stringify(result) : plainText(result, questions > 1)
      if (text !== undefined) await print(output, `${text}\n`)
    },
  }
  const throwIfFailed = (): void => {
    if (failed === undefined && count === questions) return
    if (failed === undefined) throw new StreamError('ABORTED', 'It was stopped before every question was answered.')
    const error = errorOf(failed.result)
    // By its place: what was asked is not for stderr, which is often kept.
    throw questions > 1
      ? new StreamError(error.code, `Question ${failed.place} of ${questions}: ${error.message}`)
      : error
  }
  return { sink, throwIfFailed }
}

function plainText(result: Result, hasSeveral: boolean): string | undefined {
  if (result.kind !== 'answer') return undefined
  const answer = printable(result.answer)
  return hasSeveral ? `${printable(result.question)}\n  ${answer.replaceAll('\n', '\n  ')}` : answer
}
