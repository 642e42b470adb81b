import { lastValueFrom } from 'rxjs'

import { expectText } from '../checks.js'
import type { Answer } from '../envelope.js'
import { StreamError } from '../errors.js'
import { resolveGeneration } from '../generation-settings.js'
import type { GenerationSettings } from '../generation-settings.js'
import type { Model } from '../model/model.js'
import { connectOnce, runTask, settleTask, toTasks } from '../operators/answer-task.js'
import type { ConnectOnce } from '../operators/answer-task.js'
import { encode } from '../operators/encode.js'
import { errorOf } from '../operators/result.js'
import { bindModel } from '../operators/run-context.js'
import type { AnswerEvent } from '../operators/run-context.js'
import { wholeClip } from '../operators/whole-clip.js'
import type { Source } from '../sources/source.js'
import type { Clip, Question, Round } from '../types.js'
import { unlessAborted } from './abort.js'
import { oneVideo } from './one-video.js'

/** How a conversation is held. */
export interface ConversationSettings extends Partial<GenerationSettings> {
  /** Stops reading the video; the promise rejects with `ABORTED`. */
  readonly signal?: AbortSignal
}

/** How one question of a conversation is asked. */
export interface ConversationAskOptions {
  /** Stops asking; the promise rejects with `ABORTED`. */
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
 * Begins a conversation about a whole video: reads and encodes it. It is connected and taken in by the language model once, with the
 * first question; a later round costs its own tokens as long as the prefix cache has room.
 *
 * @throws {StreamError} `SETTING_INVALID`, `VIDEO_*`, `PIPELINE_INVALID` where the source has more than one video, `MODEL_*`, `ABORTED`.
 */
export async function beginConversation(
  model: Model,
  source: Source,
  { signal, ...settings }: ConversationSettings = {},
): Promise<Conversation> {
  const generation = resolveGeneration(settings)
  const clip = await readClip(model, source, signal)
  const connect = connectOnce(model, clip)
  let rounds: readonly Round[] = []
  let last: Promise<unknown> = Promise.resolve()

  return {
    get rounds() {
      return rounds
    },
    ask(question, options = {}) {
      const next = async (): Promise<Answer> => {
        const answer = await answerOne({ model, clip, connect, generation, rounds, question: expectText('question', question) }, options)
        rounds = [...rounds, { question, answer: answer.answer }]
        return answer
      }
      const asking = last.then(next)
      last = asking.catch(() => undefined)
      return asking
    },
  }
}

async function readClip(model: Model, source: Source, signal: AbortSignal | undefined): Promise<Clip> {
  const clips = oneVideo(source, (frames) => frames.pipe(encode(model), wholeClip()))
  return await lastValueFrom(clips.pipe(unlessAborted(signal, 'The conversation')))
}

interface OneQuestion {
  readonly model: Model
  readonly clip: Clip
  readonly connect: ConnectOnce
  readonly generation: GenerationSettings
  readonly rounds: readonly Round[]
  readonly question: Question
}

async function answerOne({ model, clip, connect, question, generation, rounds }: OneQuestion, options: ConversationAskOptions): Promise<Answer> {
  const { signal = new AbortController().signal, onEvent = () => undefined } = options
  const run = { pipeline: 'ask', emit: onEvent }
  const context = { model: bindModel(model, run), run, generation, retries: 1, rounds }
  const [task] = toTasks(context, { clip, questions: [question], connect })
  if (task === undefined) throw new Error('A question of a conversation was answered before it was asked.')
  const result = await runTask(task, context, signal).catch((error: unknown) => {
    task.receipt.settle({ kind: 'failed', code: error instanceof StreamError ? error.code : 'MODEL_FAILED' })
    throw error
  })
  settleTask(task, result)
  if (result.kind === 'error') throw errorOf(result)
  return result
}
