import { defined } from '../defined.js'
import type { Answer } from '../envelope.js'
import { StreamError, abortError } from '../errors.js'
import type { Conversation } from '../service/conversation.js'
import { loadModel } from '../service/load-model.js'
import type { LoadedModel } from '../service/load-model.js'
import { answerOutput } from './answer-output.js'
import { checkVideo, generationOf, samplingOf } from './ask-settings.js'
import type { AskFlags, Asking } from './ask-settings.js'
import { onInterrupt } from './interrupt.js'
import { createLiveAnswer } from './live-answer.js'
import { createProgress } from './progress.js'
import type { Reporter } from './reporter.js'
import { tellOnce } from './tell-once.js'
import { typedQuestions } from './typed-questions.js'

/** A conversation on the command line. */
interface Session {
  readonly conversation: Conversation
  readonly isJson: boolean
  /** Those of the command line; none: they are typed. */
  readonly questions: readonly string[]
  readonly signal: AbortSignal
  readonly reporter: Reporter
}

/**
 * Asks about a video in one conversation: the questions of the command line, or else those that are typed, each when the last was
 * answered. Rejects with the first question's failure; on a terminal that is told of, and the conversation goes on.
 */
export async function converse({ video, questions, flags }: Asking, reporter: Reporter): Promise<void> {
  await checkVideo(video)
  const stop = new AbortController()
  const { signal } = stop
  const forget = onInterrupt(reporter, 'stopping', () => {
    stop.abort()
  })
  try {
    const model = await openModel(flags, signal)
    try {
      const conversation = await model.converse(video, { ...generationOf(flags), sampling: samplingOf(flags), signal })
      await hold({ conversation, isJson: flags.json === true, questions, signal, reporter })
    } finally {
      await model.dispose()
    }
  } finally {
    forget()
  }
}

function openModel({ model, device }: AskFlags, signal: AbortSignal): Promise<LoadedModel> {
  const progress = createProgress('building the demo model')
  return loadModel(model, { signal, onProgress: progress.update, ...defined({ device }) }).finally(progress.end)
}

async function hold(session: Session): Promise<void> {
  const { questions, signal, reporter } = session
  const isTyped = questions.length === 0
  const isTerminal = isTyped && process.stdin.isTTY
  const [ask, warnOnce] = [asker(session), tellOnce(reporter.warning)]
  if (isTerminal) reporter.notice('ask about what is seen, a line each; Ctrl-D ends', {})
  let count = 0
  for await (const question of isTyped ? typedQuestions(process.stdin, signal) : questions) {
    count += 1
    const asking = ask(question)
    const answer = await (isTerminal ? orTold(asking, session) : asking)
    answer?.degraded.forEach((what) => { warnOnce(what) })
  }
  // Whoever sits at a terminal knows that it was stopped, or that nothing was asked.
  if (isTerminal) return
  if (signal.aborted) throw abortError('The conversation', signal.reason)
  if (count > 0) return
  throw new StreamError('SETTING_INVALID', 'There is no question: put it behind the video, or a line each on the standard input.')
}

/** Asks and prints: what is typed, as it is answered; what was given, as `ask` prints it. */
function asker({ conversation, isJson, questions, signal }: Session): (question: string) => Promise<Answer> {
  if (isJson || questions.length > 0) {
    const { sink } = answerOutput({ isJson, questions: questions.length })
    return async (question) => {
      const answer = await conversation.ask(question, { signal })
      await sink.write(answer)
      return answer
    }
  }
  return async (question) => {
    const live = createLiveAnswer()
    try {
      return await conversation.ask(question, { signal, onEvent: live.onEvent })
    } finally {
      await live.end()
    }
  }
}

/** The answer, or undefined where the question failed and that was told; what stops everything is passed on. */
async function orTold(asking: Promise<Answer>, { signal, reporter }: Session): Promise<Answer | undefined> {
  try {
    return await asking
  } catch (error) {
    if (signal.aborted) throw error
    reporter.failure(error)
    return undefined
  }
}
