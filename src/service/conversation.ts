import { firstValueFrom, from, lastValueFrom } from 'rxjs'

import { expectText } from '../checks.js'
import { defined } from '../defined.js'
import type { Answer } from '../envelope.js'
import { StreamError } from '../errors.js'
import { resolveGeneration } from '../generation-settings.js'
import type { GenerationSettings } from '../generation-settings.js'
import type { Model, VisualTokens } from '../model/model.js'
import { runTask, settleTask, toTasks } from '../operators/answer-task.js'
import { encode } from '../operators/encode.js'
import { errorOf } from '../operators/result.js'
import { withRetries } from '../operators/retry.js'
import { bindModel } from '../operators/run-context.js'
import type { AnswerEvent } from '../operators/run-context.js'
import { wholeClip } from '../operators/whole-clip.js'
import type { Source } from '../sources/source.js'
import type { Clip, FrameFeatures, Question, Round } from '../types.js'
import { unlessAborted } from './abort.js'
import { oneVideo } from './one-video.js'

/** How a conversation is held. */
export interface ConversationSettings extends Partial<GenerationSettings> {
  /** Stops reading the video; the promise rejects with `ABORTED`. */
  readonly signal?: AbortSignal
}

/** How one question of a conversation is asked. */
export interface ConversationAskOptions {
  /** Stops asking, or waiting for its turn; the promise rejects with `ABORTED`. */
  readonly signal?: AbortSignal
  /** Told of pieces of text as the model makes them. */
  readonly onEvent?: (event: AnswerEvent) => void
}

/** Questions about one video, each of which knows those before it and their answers. */
export interface Conversation {
  /** What was asked and answered so far, in order. */
  readonly rounds: readonly Round[]
  /**
   * Asks the next question; one that is asked before the last was answered waits for it. A question that can't be answered leaves
   * no trace in the conversation.
   *
   * @throws {StreamError} Any code.
   */
  ask(question: Question, options?: ConversationAskOptions): Promise<Answer>
}

/**
 * Begins a conversation about a whole video: reads, encodes and connects it. The language model takes it in once, with the first
 * question; a later round costs its own tokens as long as the prefix cache has room.
 *
 * **Memory**: the clip's visual tokens. What the vision tower made of its frames is let go before the first question.
 *
 * @throws {StreamError} `SETTING_INVALID`, `VIDEO_*`, `PIPELINE_INVALID` where the source has more than one video, `MODEL_*`, `ABORTED`.
 */
export async function beginConversation(
  model: Model,
  source: Source,
  { signal, ...settings }: ConversationSettings = {},
): Promise<Conversation> {
  const generation = resolveGeneration(settings)
  const seen = await readClip(model, source, signal)
  let rounds: readonly Round[] = []
  let last: Promise<void> = Promise.resolve()

  return {
    get rounds() {
      return rounds
    },
    ask(question, options = {}) {
      const next = async (): Promise<Answer> => {
        const answer = await answerOne({ model, ...seen, generation, rounds, question: expectText('question', question) }, options)
        rounds = [...rounds, { question, answer: answer.answer }]
        return answer
      }
      const turn = firstValueFrom(from(last).pipe(unlessAborted(options.signal, 'The question')))
      const asking = turn.then(next)
      // One that leaves the queue must not let those behind it pass the one that is being answered.
      last = Promise.allSettled([last, asking]).then(() => undefined)
      return asking
    },
  }
}

/** What is asked about. */
interface SeenClip {
  /** Its frames' features are gone. */
  readonly clip: Clip
  readonly visual: VisualTokens
}

/** No later question needs what the tower made of a frame, which is many times the size of its visual tokens. */
const LET_GO: FrameFeatures = { data: new Float32Array(0), tokens: 0, width: 0 }

async function readClip(model: Model, source: Source, signal: AbortSignal | undefined): Promise<SeenClip> {
  const clips = oneVideo(source, (frames) => frames.pipe(encode(model), wholeClip()))
  const clip = await lastValueFrom(clips.pipe(unlessAborted(signal, 'The conversation')))
  const features = clip.frames.map((frame) => frame.features)
  const visual = await withRetries(() => model.connect(features, defined({ signal })), 1)
  return { clip: { ...clip, frames: clip.frames.map((frame) => ({ ...frame, features: LET_GO })) }, visual }
}

interface OneQuestion extends SeenClip {
  readonly model: Model
  readonly generation: GenerationSettings
  readonly rounds: readonly Round[]
  readonly question: Question
}

async function answerOne({ model, clip, visual, question, generation, rounds }: OneQuestion, options: ConversationAskOptions): Promise<Answer> {
  const { signal = new AbortController().signal, onEvent = () => undefined } = options
  const run = { pipeline: 'ask', emit: onEvent }
  const context = { model: bindModel(model, run), run, generation, retries: 1, rounds }
  const [task] = toTasks(context, { clip, questions: [question], connect: () => Promise.resolve(visual) })
  if (task === undefined) throw new Error('A question of a conversation was answered before it was asked.')
  const result = await runTask(task, context, signal).catch((error: unknown) => {
    task.receipt.settle({ kind: 'failed', code: error instanceof StreamError ? error.code : 'MODEL_FAILED' })
    throw error
  })
  settleTask(task, result)
  if (result.kind === 'error') throw errorOf(result)
  return result
}
