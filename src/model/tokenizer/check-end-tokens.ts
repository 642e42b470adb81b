import { StreamError } from '../../errors.js'
import { encodeEndText } from './prompt-ids.js'
import type { Tokenizer } from './tokenizer.js'

/** What ends an answer. */
export interface AnswerEnds {
  /** `eos_token_id` of the configuration. */
  readonly eosTokenIds: readonly number[]
  /** The template's end text. @default none that is known */
  readonly endText?: string
}

/**
 * Checks that a tokenizer has the tokens that end an answer: without them every answer would be as long as it may be.
 *
 * Where the configuration names end tokens, each must be there; where it names none, the template's end text must be one token.
 *
 * @param dir Folder of the tokenizer, for the message.
 * @throws {StreamError} `TOKENIZER_INVALID`.
 */
export function checkEndTokens(dir: string, tokenizer: Tokenizer, { eosTokenIds, endText }: AnswerEnds): void {
  const advice = 'Take the tokenizer files and the configuration of one checkpoint.'
  const missing = eosTokenIds.find((id) => tokenizer.token(id) === undefined)
  if (missing !== undefined) {
    throw new StreamError('TOKENIZER_INVALID', `The tokenizer in \`${dir}\` has no token ${missing}, which ends answers (eos_token_id). ${advice}`)
  }
  if (eosTokenIds.length > 0 || endText === undefined || encodeEndText(tokenizer, endText).length === 1) return
  throw new StreamError(
    'TOKENIZER_INVALID',
    `Nothing would end an answer: the configuration has no eos_token_id, and \`${endText}\`, with which the chat template ends answers, ` +
      `is no token of the tokenizer in \`${dir}\`. ${advice}`,
  )
}
