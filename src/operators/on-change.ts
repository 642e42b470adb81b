import { defer, filter } from 'rxjs'
import type { OperatorFunction } from 'rxjs'
import { z } from 'zod'

import type { Answer, Result } from '../envelope.js'
import { checkSettings } from '../settings.js'
import { ByQuestion } from './by-question.js'
import { HeldValue, momentOf } from './held-value.js'

/** What counts as a change, and when. */
export interface OnChangeOptions {
  /**
   * What is compared: the answer's text, or what this function picks from the answer, compared by content.
   * For a field of an answer in JSON see `jsonField`.
   *
   * @default 'text'
   */
  readonly by?: 'text' | ((answer: Answer) => unknown)
  /** Makes texts that mean the same alike; for `by: 'text'`. @default normaliseText */
  readonly normalise?: (text: string) => string
  /** Milliseconds of media time that a new value must last before it counts; the first one, too. @default 0 */
  readonly holdMs?: number
  /** Milliseconds of media time after which an unchanged answer is emitted again. @default never */
  readonly heartbeatMs?: number
}

const functionSchema = z.custom((value) => typeof value === 'function', 'Expected a function')
const optionsSchema = z
  .strictObject({
    by: z.union([z.literal('text'), functionSchema], "Expected 'text' or a function").optional(),
    normalise: functionSchema.optional(),
    holdMs: z.number().min(0).optional(),
    heartbeatMs: z.number().positive().optional(),
  })
  .refine(({ by, normalise }) => normalise === undefined || typeof by !== 'function', {
    path: ['normalise'],
    message: "It is for `by: 'text'`: normalise in the function of `by`",
  })

/**
 * Emits an answer only when it differs from the last one emitted for its question.
 *
 * ```
 * results                   a-a-b-a-b-b-b-|    one second of media time each
 * onChange()                a---b-a-b-----|
 * onChange({ holdMs: 2e3 }) ------------b-|    a never lasted for 2 s, the last b has
 * ```
 *
 * Texts are compared without case, blanks and final punctuation. Time is the media time at the end of
 * each clip, so a file gives the same changes at any speed.
 *
 * - **next**: an answer that counts as changed is emitted, with `holdMs` the one that proves it. Each
 *   question of each stream is followed by itself. Error results and alerts always pass: they are no
 *   answers, and silence about a failing model would look like "nothing changed".
 * - **a new epoch** (a camera came back) keeps the last answer: the same one again is no change. A value
 *   that was waiting for `holdMs` starts anew, as nobody saw the gap; the time to the next heartbeat goes on.
 * - **complete**, **error**: passed on; a value that hasn't lasted long enough is let go.
 * - An error thrown by `by` or `normalise` ends the output.
 *
 * The state is born at subscription: after a restart the first answer of each question is emitted again.
 *
 * **Memory**: one value a question, for the 1,024 questions answered last; a forgotten one starts anew.
 *
 * @example
 * ```ts
 * clips.pipe(answer(model, 'Is the gate open?'), onChange({ holdMs: 5_000, heartbeatMs: 3_600_000 }))
 * ```
 *
 * @param options What counts as a change, and when.
 * @throws {StreamError} `SETTING_INVALID`.
 */
export function onChange(options: OnChangeOptions = {}): OperatorFunction<Result, Result> {
  checkSettings('onChange', optionsSchema, options)
  const { by = 'text', normalise = normaliseText, holdMs = 0, heartbeatMs } = options
  const valueOf = by === 'text' ? ({ answer }: Answer) => normalise(answer) : by
  const rule = { holdMs: () => holdMs, heartbeatMs }

  return (results) =>
    defer(() => {
      const values = new ByQuestion(() => new HeldValue(rule))
      const isNews = (answer: Answer): boolean =>
        values.of(answer).take(valueOf(answer), momentOf(answer)) !== undefined
      return results.pipe(filter((result) => result.kind !== 'answer' || isNews(result)))
    })
}

/** A text without case, extra blanks and final punctuation: ` Yes. ` and `yes` are alike. */
export function normaliseText(text: string): string {
  return text.normalize('NFKC').toLowerCase().replace(/\s+/gu, ' ').replace(/[\s\p{P}]+$/u, '').trimStart()
}

/**
 * Picks a field of answers that are JSON, for `by` of `onChange`.
 *
 * Models don't always keep to a format: a text that is no JSON stands for itself, normalised, and a field
 * that isn't there is `undefined`.
 *
 * @example
 * ```ts
 * onChange({ by: jsonField('person.count') })   // {"person": {"count": 2}} → 2
 * ```
 *
 * @param path Names of fields and places in lists, with dots between.
 */
export function jsonField(path: string): (answer: Answer) => unknown {
  const steps = path.split('.')
  return ({ answer }) => {
    const parsed = parseJson(answer)
    return parsed === undefined ? normaliseText(answer) : steps.reduce(fieldOf, parsed.value)
  }
}

function parseJson(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown }
  } catch {
    return undefined
  }
}

function fieldOf(value: unknown, name: string): unknown {
  const isThere = typeof value === 'object' && value !== null && Object.hasOwn(value, name)
  return isThere ? (value as Readonly<Record<string, unknown>>)[name] : undefined
}
