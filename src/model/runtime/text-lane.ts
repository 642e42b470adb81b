import { StreamError, throwIfAborted } from '../../errors.js'
import type { Manifest } from '../manifest.js'
import type { Generation } from '../model.js'
import type { Tokenizer } from '../tokenizer/tokenizer.js'
import { type AnswerRun, startAnswer } from './answer-run.js'
import { embedTokens } from './embedding.js'
import type { JobHooks, Lane } from './lane.js'
import type { DecoderSequence } from './language-decoder.js'
import { type PrefillSetup, type Prefilled, prefill } from './prefill.js'
import type { GenerateJob } from './protocol.js'

/** What answers are made with. */
export interface TextSetup extends PrefillSetup {
  readonly tokenizer: Tokenizer
  readonly languageModel: Manifest['languageModel']
  /** Most answers under way at once; the others wait in the order they came. */
  readonly maxAnswers: number
  /** How long answers go on before a prompt has its turn, and the other way round, in milliseconds. */
  readonly maxBurstMs: number
  /** Milliseconds that only grow. @default performance.now */
  readonly now?: () => number
}

/** A question from the moment it was asked to its answer. */
interface Question {
  readonly run: AnswerRun
  readonly hooks: JobHooks
  readonly resolve: (answer: Generation) => void
  readonly reject: (error: unknown) => void
}

/** A question whose prompt is being taken in. */
interface PromptUnderWay {
  readonly question: Question
  readonly steps: AsyncGenerator<void, Prefilled>
}

/** A question whose prompt was taken in. */
interface Speaker extends Question {
  readonly sequence: DecoderSequence
  /** The last token, which the next step is fed with. */
  token: number
  /** Tokens so far. */
  tokens: number
}

/** Positions of a text so far. */
const lengthOf = ({ run, tokens }: Speaker): number => run.layout.length + tokens

/**
 * Answers questions, several at once: one prompt at a time is taken in, chunk by chunk, and in turn with that all
 * answers under way gain tokens, step by step, side by side in one run of the decoder.
 *
 * ```
 * waiting ──► prompt: chunk   chunk   chunk ──► speaking
 * speaking         burst   burst   burst   burst
 * ```
 *
 * Joining, leaving and cancelling happen between two runs.
 */
export class TextLane implements Lane {
  readonly #setup: TextSetup
  readonly #waiting: Question[] = []
  #prompt: PromptUnderWay | undefined
  #speaking: Speaker[] = []
  /** Whose turn it is where both a prompt and answers are there. */
  #isPromptsTurn = true

  constructor(setup: TextSetup) {
    this.#setup = setup
  }

  get hasWork(): boolean {
    return this.#waiting.length > 0 || this.#prompt !== undefined || this.#speaking.length > 0
  }

  /**
   * Answers a question about a clip, in the steps to come.
   *
   * @throws {StreamError} `PROMPT_TOO_LONG`, `ABORTED`, `MODEL_FAILED`.
   */
  answer(job: GenerateJob, hooks: JobHooks): Promise<Generation> {
    return new Promise((resolve, reject) => {
      const { tokenizer, languageModel, now } = this.#setup
      const run = startAnswer(job, { tokenizer, languageModel, onDelta: hooks.onDelta, ...(now && { now }) })
      this.#waiting.push({ run, hooks, resolve, reject })
    })
  }

  /** Frees everything that is kept, for a thread that ends: nothing is answered any more. */
  async close(): Promise<void> {
    await this.#prompt?.steps.return(undefined as never)
    for (const speaker of [...this.#speaking]) this.#leave(speaker)
    this.#prompt = undefined
    this.#waiting.length = 0
    this.#setup.prefixes.clear()
  }

  async step(): Promise<void> {
    const isPrompt = this.#hasPrompt && (this.#isPromptsTurn || this.#speaking.length === 0)
    this.#isPromptsTurn = !isPrompt
    if (isPrompt) await this.#burst(() => this.#stepPrompt(), () => this.#hasPrompt)
    else await this.#burst(() => this.#stepSpeaking(), () => this.#speaking.length > 0)
  }

  /** Whether a prompt is being taken in, or may be. */
  get #hasPrompt(): boolean {
    return this.#prompt !== undefined || (this.#waiting.length > 0 && this.#speaking.length < this.#setup.maxAnswers)
  }

  /** Goes on with one thing as long as a turn lasts, once at least: prompts and answers have the same time. */
  async #burst(step: () => Promise<void>, isMore: () => boolean): Promise<void> {
    const now = this.#setup.now ?? (() => performance.now())
    const end = now() + this.#setup.maxBurstMs
    do await step()
    while (isMore() && now() < end)
  }

  async #stepPrompt(): Promise<void> {
    const prompt = this.#prompt ?? this.#nextPrompt()
    if (prompt === undefined) return
    const { question, steps } = prompt
    try {
      throwIfAborted(question.hooks.signal, 'The answer')
      if (prompt !== this.#prompt) {
        question.hooks.onBegin()
        question.run.begin()
      }
      this.#prompt = prompt
      const { done, value } = await steps.next()
      if (done !== true) return
      this.#prompt = undefined
      this.#speak({ ...question, sequence: value.sequence, token: 0, tokens: 0 }, value.logits)
    } catch (error) {
      this.#prompt = undefined
      // Left on purpose: frees the sequence. What the question fails with is known.
      await steps.return(undefined as never)
      question.reject(error)
    }
  }

  #nextPrompt(): PromptUnderWay | undefined {
    const question = this.#waiting.shift()
    return question && { question, steps: prefill(this.#setup, question.run.job, question.run.layout) }
  }

  #leaveCancelled(): void {
    for (const speaker of [...this.#speaking]) {
      try {
        throwIfAborted(speaker.hooks.signal, 'The answer')
      } catch (error) {
        this.#leave(speaker)
        speaker.reject(error)
      }
    }
  }

  async #stepSpeaking(): Promise<void> {
    this.#leaveCancelled()
    const { width: together } = this.#setup.decoder
    const speaking = [...this.#speaking]
    for (let at = 0; at < speaking.length; at += together) await this.#stepTogether(speaking.slice(at, at + together))
  }

  async #stepTogether(speaking: readonly Speaker[]): Promise<void> {
    const { decoder, embedTokens: session, width } = this.#setup
    try {
      const embeddings = await embedTokens(session, speaking.map(({ token }) => token), width)
      const logits = await decoder.step(speaking.map(({ sequence }) => sequence), embeddings)
      for (const [place, speaker] of speaking.entries()) this.#take(speaker, logits[place])
    } catch (error) {
      // What fails is most often memory, and the longest takes most of it: the others have lost nothing and go on.
      const longest = speaking.reduce((most, other) => (lengthOf(other) > lengthOf(most) ? other : most))
      this.#leave(longest)
      longest.reject(error)
    }
  }

  #speak(speaker: Speaker, logits: Float32Array): void {
    this.#speaking.push(speaker)
    this.#take(speaker, logits)
  }

  #take(speaker: Speaker, logits: Float32Array | undefined): void {
    try {
      if (logits === undefined) throw new StreamError('MODEL_FAILED', 'The decoder gave no logits for a sequence.')
      const token = speaker.run.take(logits)
      if (token === undefined) {
        this.#leave(speaker)
        speaker.resolve(speaker.run.finish())
        return
      }
      speaker.token = token
      speaker.tokens += 1
    } catch (error) {
      this.#leave(speaker)
      speaker.reject(error)
    }
  }

  #leave(speaker: Speaker): void {
    this.#speaking = this.#speaking.filter((other) => other !== speaker)
    speaker.sequence.dispose()
    if (this.#speaking.length === 0) this.#setup.decoder.rest()
  }
}
