import { StreamError } from '../../errors.js'
import type { PromptIds } from '../tokenizer/prompt-ids.js'

/** What of a prompt is given to the language model, after its end was cut. */
export interface PromptLayout {
  readonly before: readonly number[]
  /** Visual tokens that are kept, from the first. */
  readonly visualTokens: number
  readonly after: readonly number[]
  /** Where in `after` the prompts of earlier rounds end, ascending; those before its end. */
  readonly ends: readonly number[]
  /** Positions in all. */
  readonly length: number
  readonly isTruncated: boolean
}

/** Limits of a language model; see `Manifest`. */
export interface PromptLimits {
  readonly maxPromptTokens: number | null
  readonly maxPositions: number
}

/**
 * Lays a prompt out and cuts its **end** at `maxPromptTokens`, question first, then visual tokens, as the
 * reference does. Source: TinyLLaVA-Video `modeling_tinyllava.py` (`prepare_inputs_labels_for_multimodal`,
 * `tokenizer_model_max_length`). It cuts only where something is shown (`generate`): a prompt without visual tokens is whole.
 *
 * @throws {StreamError} `PROMPT_TOO_LONG` where no position is left for an answer; `SETTING_INVALID` where nothing is asked at all.
 */
export function layOutPrompt(ids: PromptIds, visualTokens: number, limits: PromptLimits): PromptLayout {
  const whole = ids.before.length + visualTokens + ids.after.length
  const most = visualTokens === 0 ? null : limits.maxPromptTokens
  const length = Math.min(whole, most ?? whole)
  if (length === 0) throw new StreamError('SETTING_INVALID', 'The prompt is empty. Ask something, or name a template with text of its own.')
  if (length + 1 > limits.maxPositions) {
    throw new StreamError(
      'PROMPT_TOO_LONG',
      `The prompt has ${length} tokens (${visualTokens} of them visual), the model ${limits.maxPositions} positions ` +
        'for prompt and answer together. Ask a shorter question.',
    )
  }
  const before = ids.before.slice(0, length)
  const visual = Math.min(visualTokens, length - before.length)
  const after = ids.after.slice(0, length - before.length - visual)
  const ends = ids.ends.filter((end) => end < after.length)
  return { before, visualTokens: visual, after, ends, length, isTruncated: length < whole }
}
