import type { Prompt, TextPrompt } from '../parts/templates/prompt.js'
import type { Tokenizer } from './tokenizer.js'

/** Token ids on both sides of the visual tokens; of a prompt that shows nothing all stand before. */
export interface PromptIds {
  readonly before: readonly number[]
  readonly after: readonly number[]
  /** Where in `after` the prompts of earlier rounds end: those that are its beginning token by token, too. Ascending. */
  readonly ends: readonly number[]
}

/**
 * Encodes both sides of a prompt, each on its own, as the reference does.
 *
 * Where the first side begins with a BOS, each side's first token is dropped and the BOS is put in front
 * once. A prompt that shows nothing is one text. Source: TinyLLaVA-Video `data/template/base.py` (`tokenizer_image_token`).
 */
export function encodePrompt(tokenizer: Tokenizer, prompt: Prompt | TextPrompt): PromptIds {
  if ('text' in prompt) return { before: tokenizer.encode(prompt.text), after: [], ends: [] }
  const before = tokenizer.encode(prompt.before)
  const startsWithBos = before[0] !== undefined && before[0] === tokenizer.bosTokenId
  const encodeAfter = (text: string): readonly number[] => tokenizer.encode(text).slice(startsWithBos ? 1 : 0)
  const after = encodeAfter(prompt.after)
  const earlier = (prompt.ends ?? []).map((end) => encodeAfter(prompt.after.slice(0, end)))
  return { before, after, ends: earlier.filter((ids) => ids.every((id, place) => id === after[place])).map(({ length }) => length) }
}

/**
 * Encodes a template's end text for comparison with generated ids: without a BOS in front.
 * Source: TinyLLaVA-Video `utils/eval_utils.py` (`KeywordsStoppingCriteria`).
 */
export function encodeEndText(tokenizer: Tokenizer, endText: string): readonly number[] {
  const ids = tokenizer.encode(endText)
  return ids.length > 1 && ids[0] === tokenizer.bosTokenId ? ids.slice(1) : ids
}
