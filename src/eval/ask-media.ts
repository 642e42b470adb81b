import { lastValueFrom, map, toArray } from 'rxjs'

import type { QuestionResult } from '../envelope.js'
import { StreamError, throwIfAborted } from '../errors.js'
import { type GenerationSettings, resolveGeneration } from '../generation-settings.js'
import type { Model } from '../model/model.js'
import { answer } from '../operators/answer.js'
import { encode } from '../operators/encode.js'
import { errorOf } from '../operators/result.js'
import { withRetries } from '../operators/retry.js'
import { wholeClip } from '../operators/whole-clip.js'
import { unlessAborted } from '../service/abort.js'
import type { Frame } from '../types.js'
import type { ShownMedia } from './benchmark.js'
import type { FrameBudget } from './frames/frame-budget.js'
import type { KeptAnswer } from './results-file.js'
import { type Showing, createPlanner } from './showing.js'

/** What a question is asked with. */
export interface AskContext {
  readonly model: Model
  readonly budget: FrameBudget
  readonly generation: Partial<GenerationSettings>
  readonly signal: AbortSignal
}

/** A question about something that is shown. */
export interface ShownQuestion {
  readonly id: string
  readonly media: ShownMedia
}

/** What became of a question: an answer, or why there is none. */
export type Outcome = KeptAnswer | { readonly error: StreamError }

/** Outcomes by the questions' ids. */
export type Outcomes = ReadonlyMap<string, Outcome>

/** Retries of a question without a picture; those of the others are `answer`'s. */
const RETRIES = 1

/**
 * Asks questions about one video, folder or picture. Those that want the same frames share them: they are decoded and
 * encoded once. What fails for some of them is their outcome, and the others are asked all the same.
 *
 * @param questions All with media of the same kind and path.
 * @throws {StreamError} `ABORTED`; whatever isn't a `StreamError`, too.
 */
export async function askShown(questions: readonly ShownQuestion[], context: AskContext): Promise<Outcomes> {
  const outcomes = new Map<string, Outcome>()
  const planOf = createPlanner(context.signal)
  const showings: { readonly id: string; readonly showing: Showing }[] = []
  for (const { id, media } of questions) {
    const showing = await orError(() => planOf(media, context.budget), context)
    if (showing instanceof StreamError) outcomes.set(id, { error: showing })
    else showings.push({ id, showing })
  }
  for (const alike of groupBy(showings, ({ showing }) => showing.indices.join()).values()) {
    const results = await orError(() => askAlike(alike.map(({ showing }) => showing), context), context)
    alike.forEach(({ id }, place) => {
      const result = results instanceof StreamError ? results : results[place]
      if (result !== undefined) outcomes.set(id, outcomeOf(result))
    })
  }
  return outcomes
}

/** Asks the language model alone, as the reference does where a question has no picture. @throws as `askShown`. */
export async function askText(question: string, context: AskContext): Promise<Outcome> {
  const { model, generation, signal } = context
  const generated = await orError(() => withRetries(() => model.generate(null, question, { ...resolveGeneration(generation), signal }), RETRIES), context)
  return generated instanceof StreamError ? { error: generated } : { answer: generated.text }
}

/** Gathers values by a key, in the order in which keys come up. */
export function groupBy<Value>(values: readonly Value[], keyOf: (value: Value) => string): ReadonlyMap<string, readonly Value[]> {
  const groups = new Map<string, Value[]>()
  for (const value of values) {
    const group = groups.get(keyOf(value))
    if (group === undefined) groups.set(keyOf(value), [value])
    else group.push(value)
  }
  return groups
}

/** What work gives, or the error that it ends with. Where the evaluation was ended, that is what it ends with. */
async function orError<Value>(work: () => Promise<Value>, { signal }: AskContext): Promise<Value | StreamError> {
  throwIfAborted(signal, 'The evaluation')
  try {
    return await work()
  } catch (error) {
    throwIfAborted(signal, 'The evaluation')
    if (error instanceof StreamError) return error
    throw error
  }
}

function outcomeOf(result: QuestionResult | StreamError): Outcome {
  if (result instanceof StreamError) return { error: result }
  return result.kind === 'answer' ? result : { error: errorOf(result) }
}

/** Asks what wants the same frames: one result a question, in order. */
async function askAlike(alike: readonly Showing[], { model, generation, signal }: AskContext): Promise<readonly QuestionResult[]> {
  const [first] = alike
  if (first === undefined) return []
  const results = first.frames().pipe(
    map((frame): Frame => ({ ...frame, kind: first.pixels })),
    encode(model),
    wholeClip(),
    answer(model, alike.map(({ question }) => question), generation),
    toArray(),
  )
  return await lastValueFrom(results.pipe(unlessAborted(signal, 'The evaluation')))
}
