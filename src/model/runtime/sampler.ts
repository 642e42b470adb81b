import { StreamError } from '../../errors.js'
import type { GenerationSettings } from '../../generation-settings.js'
import { createRandom } from './random.js'

/** Chooses the next token from its logits, float32 `[vocabulary]`. */
export type Sampler = (logits: Float32Array) => number

/** transformers' default where a caller sets none: it applies beside top-p whenever tokens are sampled. */
const TOP_K = 50

/** A token that may be chosen, with its probability. */
interface Candidate {
  readonly id: number
  readonly probability: number
}

/**
 * Makes the sampler of one answer: greedy at temperature 0, else temperature, then the 50 likeliest, then
 * top-p, then a draw. Source: transformers 4.40.1 `generation/logits_process.py`, in its order.
 */
export function createSampler({
  temperature,
  topP,
  seed,
}: Pick<GenerationSettings, 'temperature' | 'topP' | 'seed'>): Sampler {
  if (temperature === 0) return likeliest
  const random = createRandom(seed)
  return (logits) => draw(keepTopP(softmax(keepTopK(logits, TOP_K), logits, temperature), topP), random())
}

/**
 * The token with the highest logit, the lowest id among equals (as torch's `argmax` on the CPU).
 *
 * @throws {StreamError} `MODEL_FAILED` where a logit isn't a number: the answer would be noise.
 */
export function likeliest(logits: Float32Array): number {
  let best = 0
  let highest = -Infinity
  for (let id = 0; id < logits.length; id += 1) {
    const logit = logits[id] ?? NaN
    if (Number.isNaN(logit)) throw notANumber()
    if (logit > highest) [best, highest] = [id, logit]
  }
  return best
}

/** Ids of the `count` highest logits, in ascending order; of all that equal the last of them, too. */
export function keepTopK(logits: Float32Array, count: number): readonly number[] {
  // The highest logits so far, in ascending order. Most of a vocabulary fails the first comparison.
  const highest: number[] = []
  for (const logit of logits) {
    if (Number.isNaN(logit)) throw notANumber()
    if (highest.length === count && logit <= (highest[0] ?? Infinity)) continue
    if (highest.length === count) highest.shift()
    const at = highest.findIndex((other) => other > logit)
    highest.splice(at === -1 ? highest.length : at, 0, logit)
  }
  const threshold = highest[0] ?? -Infinity
  const ids: number[] = []
  logits.forEach((logit, id) => {
    if (logit >= threshold) ids.push(id)
  })
  return ids
}

function softmax(ids: readonly number[], logits: Float32Array, temperature: number): readonly Candidate[] {
  const scaled = ids.map((id) => (logits[id] ?? -Infinity) / temperature)
  // Not spread into Math.max: equal logits can keep a whole vocabulary.
  const highest = scaled.reduce((a, b) => Math.max(a, b), -Infinity)
  const weights = scaled.map((value) => Math.exp(value - highest))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  return ids.map((id, index) => ({ id, probability: (weights[index] ?? 0) / total }))
}

/**
 * The smallest set of candidates whose probabilities add up to `topP`, at least one.
 *
 * As transformers: from the least likely on, candidates go while what has gone adds up to at most `1 - topP`.
 */
export function keepTopP(candidates: readonly Candidate[], topP: number): readonly Candidate[] {
  if (topP >= 1) return candidates
  const ascending = candidates.toSorted((a, b) => a.probability - b.probability || b.id - a.id)
  let gone = 0
  const first = ascending.findIndex(({ probability }) => (gone += probability) > 1 - topP)
  return ascending.slice(first === -1 ? -1 : first)
}

/** The candidate that `position` (0 to 1) falls on where their probabilities are laid side by side, by id. */
export function draw(candidates: readonly Candidate[], position: number): number {
  const byId = candidates.toSorted((a, b) => a.id - b.id)
  const total = byId.reduce((sum, { probability }) => sum + probability, 0)
  let left = position * total
  const chosen = byId.find(({ probability }) => (left -= probability) < 0)
  // Rounding can leave a rest after the last candidate.
  return (chosen ?? byId.at(-1))?.id ?? 0
}

function notANumber(): StreamError {
  return new StreamError('MODEL_FAILED', 'The language model gave a logit that is not a number.')
}
