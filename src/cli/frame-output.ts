import type { ErrorResult, Result } from '../envelope.js'
import { StreamError } from '../errors.js'
import { errorOf } from '../operators/result.js'
import { clock, print, printable } from '../sinks/print.js'
import type { Sink } from '../sinks/sink.js'
import type { AnswerOutputOptions } from './answer-output.js'
import { tellOnce } from './tell-once.js'

/**
 * Prints what is answered about each frame by itself, a line with the frame's time in front; remembers the first question
 * that failed.
 *
 * ```
 * 0:00.000  A circle.
 * 0:00.320  A square.
 * ```
 */
export function frameOutput({ isJson, questions, output = process.stdout, warn = () => undefined }: AnswerOutputOptions) {
  let failed: ErrorResult | undefined
  const warnOnce = tellOnce((what, startMs: number) => { warn(`At ${clock(startMs)}: ${what}`) })
  const sink: Sink = {
    kind: 'frameOutput',
    write: async (result) => {
      if (result.kind === 'error') failed ??= result
      const text = isJson ? JSON.stringify(result) : plainText(result, questions > 1)
      if (text !== undefined) await print(output, `${text}\n`)
      if (!isJson && result.kind !== 'alert') result.degraded.forEach((what) => { warnOnce(what, result.clip.startMs) })
    },
  }
  const throwIfFailed = (isStopped: boolean): void => {
    if (failed === undefined && !isStopped) return
    if (failed === undefined) throw new StreamError('ABORTED', 'It was stopped before every frame was asked about.')
    const error = errorOf(failed)
    throw new StreamError(error.code, `At ${clock(failed.clip.startMs)}: ${error.message}`)
  }
  return { sink, throwIfFailed }
}

function plainText(result: Result, hasSeveral: boolean): string | undefined {
  if (result.kind !== 'answer') return undefined
  const lines = [...(hasSeveral ? [printable(result.question)] : []), ...printable(result.answer).split('\n')]
  return `${clock(result.clip.startMs)}  ${lines.join('\n  ')}`
}
