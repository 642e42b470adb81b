import { throwIfAborted } from '../../errors.js'
import type { Manifest } from '../manifest.js'
import type { Generation } from '../model.js'
import { encodeEndText, encodePrompt } from '../tokenizer/prompt-ids.js'
import { createTextStream } from '../tokenizer/text-stream.js'
import type { Tokenizer } from '../tokenizer/tokenizer.js'
import { startSequence } from './decoder.js'
import { embedPrompt, embedTokens } from './embedding.js'
import { type PromptLayout, layOutPrompt } from './prompt-layout.js'
import type { GenerateJob } from './protocol.js'
import { createSampler } from './sampler.js'
import type { GraphSession } from './session.js'
import { type StopRules, stopReason } from './stopping.js'

/** What text is made with. */
export interface TextModel {
  readonly tokenizer: Tokenizer
  readonly embedTokens: GraphSession
  readonly decoder: GraphSession
  readonly languageModel: Manifest['languageModel']
}

/** How a run is listened to and stopped. */
export interface GenerateHooks {
  readonly signal: AbortSignal
  readonly onDelta: (text: string) => void
}

/**
 * Answers one question about one clip.
 *
 * @throws {StreamError} `PROMPT_TOO_LONG`, `ABORTED`, `MODEL_FAILED`.
 */
export async function generate(model: TextModel, job: GenerateJob, hooks: GenerateHooks): Promise<Generation> {
  const layout = layOutPrompt(encodePrompt(model.tokenizer, job.prompt), job.visual.tokens, model.languageModel)
  const rules = stopRules(model, job, layout)
  const stream = createTextStream(model.tokenizer, job.endText)
  const deltas: string[] = []
  const emit = (delta: string): void => {
    if (delta === '') return
    deltas.push(delta)
    hooks.onDelta(delta)
  }

  const startedAt = performance.now()
  let prefilledAt = startedAt
  const tokenIds: number[] = []
  for await (const id of generateTokens(model, job, layout, hooks.signal)) {
    if (tokenIds.length === 0) prefilledAt = performance.now()
    tokenIds.push(id)
    emit(stream.push(id))
    if (stopReason(tokenIds, rules) !== undefined) break
  }
  emit(stream.finish())

  return {
    text: deltas.join(''),
    tokenIds,
    finishReason: stopReason(tokenIds, rules) ?? 'length',
    tokens: { visual: layout.visualTokens, prompt: layout.before.length + layout.after.length, answer: tokenIds.length },
    isTruncated: layout.isTruncated,
    timingsMs: { prefill: prefilledAt - startedAt, decode: performance.now() - prefilledAt },
  }
}

/**
 * Generates token ids without end: prefill, then one token at a time. The caller stops by leaving its loop.
 *
 * ```
 * layout ─ embed ─► text, visual tokens, text ─ prefill ─► logits ─ sample ─► id
 *                                                            ▲                │
 *                                                            └─ step ◄─ embed ┘
 * ```
 */
async function* generateTokens(
  { embedTokens: embedder, decoder, languageModel }: TextModel,
  job: GenerateJob,
  layout: PromptLayout,
  signal: AbortSignal,
): AsyncGenerator<number, never> {
  const sample = createSampler(job)
  const sequence = startSequence(decoder, languageModel)
  try {
    let logits = await sequence.append(await embedPrompt(embedder, layout, job.visual))
    for (;;) {
      const id = sample(logits)
      yield id
      await eventsDelivered()
      throwIfAborted(signal, 'The answer')
      logits = await sequence.append(await embedTokens(embedder, [id], languageModel.width))
    }
  } finally {
    sequence.dispose()
  }
}

function stopRules({ tokenizer, languageModel }: TextModel, job: GenerateJob, layout: PromptLayout): StopRules {
  return {
    eosTokenIds: languageModel.eosTokenIds,
    endTextIds: encodeEndText(tokenizer, job.endText),
    maxNewTokens: Math.min(job.maxNewTokens, languageModel.maxPositions - layout.length),
  }
}

/** Lets the event loop turn once: a run blocks it, and a message to cancel has to come in somewhere. */
function eventsDelivered(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
