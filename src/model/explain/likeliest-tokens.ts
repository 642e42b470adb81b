import { keepTopK } from '../runtime/sampler.js'
import type { Tokenizer } from '../tokenizer/tokenizer.js'
import type { ExplainedCandidate } from './explained-answer.js'

// As many as a reader takes in at a glance.
const OTHERS = 5

/** A chosen token, and what it was chosen from. */
export interface ChosenToken extends ExplainedCandidate {
  readonly others: readonly ExplainedCandidate[]
}

/**
 * Says how likely a token was, and what else was likely.
 *
 * @param logits float32 `[vocabulary]`: what it was chosen from.
 */
export function chosenToken(tokenizer: Tokenizer, logits: Float32Array, id: number): ChosenToken {
  const most = logits.reduce((largest, logit) => Math.max(largest, logit), -Infinity)
  const sum = logits.reduce((total, logit) => total + Math.exp(logit - most), 0)
  const candidate = (token: number): ExplainedCandidate =>
    ({ text: textOf(tokenizer, token), probability: Math.exp((logits[token] ?? -Infinity) - most) / sum })
  const others = keepTopK(logits, OTHERS + 1).filter((token) => token !== id)
  const best = others.map(candidate).sort((a, b) => b.probability - a.probability)
  return { ...candidate(id), others: best.slice(0, OTHERS) }
}

function textOf(tokenizer: Tokenizer, id: number): string {
  const decoder = tokenizer.decoder()
  const text = decoder.push(id) + decoder.finish()
  return text === '' ? (tokenizer.token(id) ?? '') : text
}
