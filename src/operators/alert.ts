import { defer, mergeMap } from 'rxjs'
import type { OperatorFunction } from 'rxjs'
import { z } from 'zod'

import { alertId } from '../envelope.js'
import type { AlertResult, Answer, Result } from '../envelope.js'
import { originOf, withOrigin } from '../origin.js'
import { checkSettings } from '../settings.js'
import { ByQuestion } from './by-question.js'
import { HeldValue, momentOf } from './held-value.js'
import type { Noticed } from './held-value.js'

/** When an alert is raised and cleared. Times are milliseconds of media time. */
export interface AlertOptions {
  /** True for answers that raise the alert: a pattern that their text is searched for, or a function. */
  readonly when: RegExp | ((answer: Answer) => boolean)
  /** Names the alert in its results. @default 'alert' */
  readonly name?: string
  /** Looks at the answers to these questions only. @default all */
  readonly questions?: string | readonly string[]
  /** How long the condition must be true before the alert is raised. @default 0 */
  readonly holdMs?: number
  /** How long it must be false before the alert is cleared. @default 0 */
  readonly clearAfterMs?: number
  /** After how long a raised alert is emitted again. @default never */
  readonly heartbeatMs?: number
}

const optionsSchema = z.strictObject({
  when: z.custom((value) => value instanceof RegExp || typeof value === 'function', 'Expected a pattern or a function'),
  name: z.string().trim().min(1).optional(),
  questions: z.union([z.string(), z.array(z.string()).min(1)]).optional(),
  holdMs: z.number().min(0).optional(),
  clearAfterMs: z.number().min(0).optional(),
  heartbeatMs: z.number().positive().optional(),
})

/**
 * Raises an alert while answers meet a condition, beside the answers.
 *
 * ```
 * results                   n-y-y-n----y---|    y: "Yes.", n: "No."
 * alert({ when: /yes/i })   n-Ry-y-Cn--Ry--|    R raised, C cleared
 * ```
 *
 * Each question of each stream raises and clears by itself; put one `alert` behind the other for several
 * conditions. An alert is a result of `kind: 'alert'` and goes to every sink; its id is a pure function
 * of the answer that decided it, so a replay gives the same ids.
 *
 * - **next**: every result passes. An alert comes just before the answer that decided it: whoever resumes
 *   after the last answer that was delivered can't miss its alert. Error results decide nothing.
 * - **a new epoch** (a camera came back) keeps what is raised. A change that was waiting for `holdMs` or
 *   `clearAfterMs` starts anew, as nobody saw the gap; the time to the next heartbeat goes on.
 * - **complete**, **error**: passed on; what is raised is not cleared, as nobody saw it end.
 * - An error thrown by `when` ends the output.
 *
 * The state is born at subscription: after a restart a condition that is still true raises again.
 *
 * **Memory**: one state a question, for the 1,024 questions answered last; a forgotten one starts as cleared.
 *
 * @example
 * ```ts
 * clips.pipe(
 *   answer(model, 'Is anybody at the door? Answer yes or no.'),
 *   alert({ name: 'somebody at the door', when: /^yes/i, holdMs: 2_000, clearAfterMs: 10_000 }),
 * )
 * ```
 *
 * @param options When the alert is raised and cleared.
 * @throws {StreamError} `SETTING_INVALID`.
 */
export function alert(options: AlertOptions): OperatorFunction<Result, Result> {
  checkSettings('alert', optionsSchema, options)
  const { name = 'alert', holdMs = 0, clearAfterMs = 0, heartbeatMs } = options
  const isMet = toCondition(options.when)
  const concerns = toQuestionRule(options.questions)
  const rule = { holdMs: (isTrue: unknown) => (isTrue === true ? holdMs : clearAfterMs), heartbeatMs }

  return (results) =>
    defer(() => {
      // It starts as cleared, so that nothing is cleared that was never raised.
      const states = new ByQuestion((first) => new HeldValue(rule, { value: false, since: momentOf(first) }))
      const alertsOf = (answer: Answer): readonly Result[] => {
        const isTrue = isMet(answer)
        const noticed = states.of(answer).take(isTrue, momentOf(answer))
        const isQuiet = noticed === undefined || (noticed.reason === 'heartbeat' && !isTrue)
        return isQuiet ? [] : [toAlert(answer, { name, state: isTrue ? 'raised' : 'cleared', since: noticed.since })]
      }
      return results.pipe(
        mergeMap((result) =>
          result.kind === 'answer' && concerns(result) ? [...alertsOf(result), result] : [result],
        ),
      )
    })
}

function toCondition(when: AlertOptions['when']): (answer: Answer) => boolean {
  if (typeof when === 'function') return when
  // `g` and `y` would make a pattern remember where it last matched.
  const pattern = new RegExp(when.source, when.flags.replace(/[gy]/g, ''))
  return ({ answer }) => pattern.test(answer)
}

function toQuestionRule(questions: AlertOptions['questions']): (answer: Answer) => boolean {
  if (questions === undefined) return () => true
  const wanted = new Set(typeof questions === 'string' ? [questions] : questions)
  return ({ question }) => wanted.has(question)
}

type AlertFacts = Pick<AlertResult['alert'], 'name' | 'state'> & Pick<Noticed, 'since'>

function toAlert(decidedBy: Answer, { name, state, since }: AlertFacts): AlertResult {
  const { schema, id: answerId, pipeline, source, clip, question, model, degraded, answer } = decidedBy
  const shared = { schema, id: alertId({ answerId, name, state }), pipeline, source, clip, question, model, degraded }
  return withOrigin({ kind: 'alert', ...shared, alert: { name, state, since, answerId, answer } }, originOf(decidedBy))
}
