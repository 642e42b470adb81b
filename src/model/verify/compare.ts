import { StreamError, throwIfAborted } from '../../errors.js'
import { floatFeatures } from '../feature-values.js'
import type { Manifest } from '../manifest.js'
import type { Pixels } from '../model.js'
import { cosine, divergence, relativeError } from './numbers.js'
import type { Stages } from './stages.js'
import { wilsonInterval } from './wilson-interval.js'

/** A clip and what is asked about it. */
export interface VerifyClip {
  readonly pictures: readonly Pixels[]
  readonly questions: readonly string[]
}

/** How far a stage's output is from the expected one, over all clips. */
export interface StageError {
  /** Smallest cosine of a vector (a frame's features, a clip's visual tokens, a token's logits) with the expected one. */
  readonly worstCosine: number
  /** Mean and greatest length of the difference, as a share of the expected vector's length. */
  readonly meanError: number
  readonly worstError: number
}

/** How often something is the same, with the 95 % interval of its share. */
export interface SameShare {
  readonly same: number
  readonly total: number
  readonly share: number
  readonly interval: readonly [low: number, high: number]
}

/** What a comparison of two models found. */
export interface Comparison {
  readonly clips: number
  readonly pairs: number
  /** Each stage fed with what the reference's stage before it gave, so that an error shows where it is made. */
  readonly stages: { readonly features: StageError; readonly visualTokens: StageError; readonly logits: StageError }
  /** Kullback-Leibler divergence from the reference's next-token distribution, in nats a token. */
  readonly divergence: { readonly mean: number; readonly worst: number }
  /** Likeliest next tokens, where both models follow the reference's answer. */
  readonly nextTokens: SameShare
  /** Whole greedy answers, each model with all of its own stages: token ids identical. */
  readonly answers: SameShare
}

/** How two models are compared. */
export interface CompareOptions {
  /** Most tokens of an answer. @default 64 */
  readonly maxNewTokens?: number
  /** Told of each pair that was compared. */
  readonly onPair?: (pair: { readonly question: string; readonly expected: string; readonly found: string }) => void
  readonly signal?: AbortSignal
}

/** Gathers errors of one stage. */
class StageErrors {
  #worstCosine = 1
  readonly #errors: number[] = []

  add(found: Float32Array, expected: Float32Array): void {
    this.#worstCosine = Math.min(this.#worstCosine, cosine(found, expected))
    this.#errors.push(relativeError(found, expected))
  }

  get summary(): StageError {
    return { worstCosine: this.#worstCosine, meanError: mean(this.#errors), worstError: greatest(this.#errors) }
  }
}

/**
 * Compares a model with a reference, stage by stage and answer by answer.
 *
 * @param found The model in question.
 * @param expected The reference, of the same checkpoint: same sizes, same tokenizer.
 * @param clips At least one, with at least one question each; taken one at a time.
 * @throws {StreamError} `SETTING_INVALID` where the models are of different sizes, `MODEL_FAILED`, `ABORTED`.
 */
export async function compareModels(
  { found, expected }: { readonly found: Stages; readonly expected: Stages },
  clips: AsyncIterable<VerifyClip>,
  { maxNewTokens = 64, onPair, signal }: CompareOptions = {},
): Promise<Comparison> {
  const stages = { features: new StageErrors(), visualTokens: new StageErrors(), logits: new StageErrors() }
  const divergences: number[] = []
  const [nextTokens, answers]: [boolean[], boolean[]] = [[], []]
  let clipCount = 0
  expectAlike(found.manifest, expected.manifest)

  for await (const { pictures, questions } of clips) {
    clipCount += 1
    const features = await expected.encode(pictures)
    const ownFeatures = await found.encode(pictures)
    features.forEach(({ data }, frame) => { stages.features.add(floatFeatures(ownFeatures[frame]?.data ?? new Float32Array()), floatFeatures(data)) })
    const visual = await expected.connect(features)
    stages.visualTokens.add((await found.connect(features)).data, visual.data)
    const ownVisual = await found.connect(ownFeatures)

    for (const question of questions) {
      throwIfAborted(signal, 'The comparison')
      const wanted = await expected.answer({ visual, question, maxNewTokens })
      const followed = await found.answer({ visual, question, maxNewTokens, follow: wanted.tokenIds })
      wanted.logits.forEach((logits, place) => {
        const own = followed.logits[place] ?? new Float32Array()
        stages.logits.add(own, logits)
        divergences.push(divergence(logits, own))
        nextTokens.push(likeliest(own) === likeliest(logits))
      })
      const own = await found.answer({ visual: ownVisual, question, maxNewTokens })
      answers.push(own.tokenIds.join() === wanted.tokenIds.join())
      onPair?.({ question, expected: wanted.text, found: own.text })
    }
  }
  return {
    clips: clipCount,
    pairs: answers.length,
    stages: { features: stages.features.summary, visualTokens: stages.visualTokens.summary, logits: stages.logits.summary },
    divergence: { mean: mean(divergences), worst: greatest(divergences) },
    nextTokens: shareOf(nextTokens),
    answers: shareOf(answers),
  }
}

/** Models of other sizes can't be fed with one another's outputs; the type of features may be another, and is converted. */
function expectAlike(found: Manifest, expected: Manifest): void {
  const sizes = ({ visionTower, languageModel: { width, vocabularySize } }: Manifest): string =>
    JSON.stringify({ ...visionTower, features: undefined, languageModel: { width, vocabularySize } })
  if (sizes(found) === sizes(expected)) return
  const message = `\`${found.name}\` can't be compared with \`${expected.name}\`: ${sizes(found)} and ${sizes(expected)}. Take bundles of one checkpoint.`
  throw new StreamError('SETTING_INVALID', message)
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)

const greatest = (values: readonly number[]): number => values.reduce((most, value) => Math.max(most, value), 0)

const likeliest = (logits: Float32Array): number =>
  logits.reduce((best, logit, id) => (logit > (logits[best] ?? -Infinity) ? id : best), 0)

function shareOf(outcomes: readonly boolean[]): SameShare {
  const [same, total] = [outcomes.filter(Boolean).length, outcomes.length]
  return { same, total, share: same / total, interval: wilsonInterval(same, total) }
}
