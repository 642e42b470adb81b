import type { Manifest } from '../manifest.js'
import type { Generation } from '../model.js'
import { encodeEndText, encodePrompt } from '../tokenizer/prompt-ids.js'
import { createTextStream } from '../tokenizer/text-stream.js'
import type { Tokenizer } from '../tokenizer/tokenizer.js'
import { type PromptLayout, layOutPrompt } from './prompt-layout.js'
import type { GenerateJob } from './protocol.js'
import { createSampler } from './sampler.js'
import { type StopRules, stopReason } from './stopping.js'

/** What an answer is made with, beside the graphs. */
export interface AnswerSetup {
  readonly tokenizer: Tokenizer
  readonly languageModel: Manifest['languageModel']
  readonly onDelta: (text: string) => void
  /** Milliseconds that only grow. @default performance.now */
  readonly now?: () => number
}

/** One answer on its way: takes logits, hands out text, knows when it ends. Runs nothing itself. */
export interface AnswerRun {
  readonly job: GenerateJob
  readonly layout: PromptLayout
  /** Says that its prefill begins: what `timingsMs` count from. */
  begin(): void
  /** Takes the logits after the prompt or the last token. @returns The next token, or none where the answer has ended. */
  take(logits: Float32Array): number | undefined
  /** The answer, once `take` gave none. */
  finish(): Generation
}

/**
 * Begins an answer.
 *
 * @throws {StreamError} `PROMPT_TOO_LONG`.
 */
export function startAnswer(job: GenerateJob, { tokenizer, languageModel, onDelta, now = () => performance.now() }: AnswerSetup): AnswerRun {
  const layout = layOutPrompt(encodePrompt(tokenizer, job.prompt), job.visual.tokens, languageModel)
  const rules: StopRules = {
    eosTokenIds: languageModel.eosTokenIds,
    endTextIds: encodeEndText(tokenizer, job.endText),
    maxNewTokens: Math.min(job.maxNewTokens, languageModel.maxPositions - layout.length),
  }
  const sample = createSampler(job)
  const stream = createTextStream(tokenizer, job.endText)
  const [tokenIds, deltas]: [number[], string[]] = [[], []]
  const times = { begun: 0, prefilled: 0 }
  const emit = (delta: string): void => {
    if (delta === '') return
    deltas.push(delta)
    onDelta(delta)
  }

  return {
    job,
    layout,
    begin() {
      times.begun = now()
    },
    take(logits) {
      const id = sample(logits)
      if (tokenIds.length === 0) times.prefilled = now()
      tokenIds.push(id)
      emit(stream.push(id))
      return stopReason(tokenIds, rules) === undefined ? id : undefined
    },
    finish() {
      emit(stream.finish())
      return {
        text: deltas.join(''),
        tokenIds,
        finishReason: stopReason(tokenIds, rules) ?? 'length',
        tokens: { visual: layout.visualTokens, prompt: layout.before.length + layout.after.length, answer: tokenIds.length },
        isTruncated: layout.isTruncated,
        timingsMs: { prefill: times.prefilled - times.begun, decode: now() - times.prefilled },
      }
    },
  }
}
