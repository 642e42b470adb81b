import type { AlertResult, Result } from '../envelope.js'
import { clock, print, printable } from './print.js'
import type { TextOutput } from './print.js'
import type { Sink } from './sink.js'

/** Where the console sink prints. */
export interface ConsoleSinkOptions {
  /** @default process.stdout */
  readonly output?: TextOutput
}

/**
 * Prints each result for people, with the times of the frames that were looked at.
 *
 * ```
 * two-shapes  0:00.000 to 0:04.960, 16 frames: 0.000 0.320 0.640 …
 *   What shape is it?
 *   A circle.
 *   *** raised: a circle is there, since 0:04.960
 * ```
 *
 * Times are in seconds of media time. Results about the clip before are printed under the same heading.
 * This prints questions and answers: no other part of a pipeline does so unless it is told to.
 *
 * `write` resolves when the output has taken the text; where it can't any more (a closed pipe), it
 * rejects with `SINK_FAILED`, which stops the pipeline. The output is left open.
 *
 * @example
 * ```ts
 * definePipeline({ …, sinks: [consoleSink()] })
 * ```
 *
 * @param options Where to print.
 */
export function consoleSink({ output = process.stdout }: ConsoleSinkOptions = {}): Sink {
  let lastHeading = ''
  // Without a listener, a closed pipe would end the process; `write` reports it.
  const ignore = (): void => undefined

  return {
    kind: 'console',
    open: () => {
      output.on('error', ignore)
      return Promise.resolve()
    },
    write: async (result) => {
      const heading = headingOf(result)
      const text = heading === lastHeading ? bodyOf(result) : `${heading}\n${bodyOf(result)}`
      lastHeading = heading
      await print(output, `${text}\n`)
    },
    close: () => {
      output.off('error', ignore)
      return Promise.resolve()
    },
  }
}

function headingOf({ source, clip, degraded }: Result): string {
  const times = clip.frames.map(({ ptsMs }) => (ptsMs / 1000).toFixed(3)).join(' ')
  const count = clip.frames.length === 1 ? '1 frame' : `${clip.frames.length} frames`
  const span = `${clock(clip.startMs)} to ${clock(clip.endMs)}`
  const notes = degraded.map((note) => `  ! ${oneLine(note)}`)
  return [oneLine(`${source.id}  ${span}, ${count}: ${times}`), ...notes].join('\n')
}

function bodyOf(result: Result): string {
  if (result.kind === 'alert') return alertOf(result)
  const outcome = result.kind === 'answer' ? result.answer : `${result.error.code}: ${result.error.message}`
  return `  ${oneLine(result.question)}\n  ${printable(outcome).replaceAll('\n', '\n  ')}`
}

function alertOf({ alert, source }: AlertResult): string {
  const { name, state, since } = alert
  // Media time starts anew in each epoch.
  const where = since.epoch === source.epoch ? '' : ' of an earlier epoch'
  const text = oneLine(`${name}, since ${clock(since.ptsMs)}${where}`)
  return `  ${state === 'raised' ? '*** raised' : '--- cleared'}: ${text}`
}

function oneLine(text: string): string {
  return printable(text).replaceAll('\n', ' ')
}
