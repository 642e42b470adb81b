import { cleanUp, settledLength } from './clean-up.js'
import { pythonStripEnd, pythonStripStart } from './python-strip.js'
import type { Tokenizer } from './tokenizer.js'

/** Turns token ids into text as they come. */
export interface TextStream {
  /** Text that the token settles: whole characters, maybe none. */
  push(id: number): string
  /** The text that was still held back. Call once, after the last token. */
  finish(): string
}

/**
 * Makes a stream of text from token ids.
 *
 * All deltas together are exactly the final text: decoded without special tokens, cleaned up where the
 * tokenizer asks for it, stripped, without a closing `endText`, stripped again (what
 * `eval/run_tiny_llava.py` does with the whole answer). So a delta holds back what a later token could still
 * change: half a character, a space before what could become punctuation, white space and `endText` at the end.
 *
 * @param endText The template's end text. Left out: nothing is cut.
 */
export function createTextStream(tokenizer: Tokenizer, endText = ''): TextStream {
  const decoder = tokenizer.decoder()
  /** Decoded, but a later token could change its clean-up. */
  let unsettled = ''
  /** Cleaned up, but maybe part of the end. */
  let held = ''
  let hasStarted = false

  const settle = (isLast: boolean): void => {
    const length = tokenizer.cleansUp && !isLast ? settledLength(unsettled) : unsettled.length
    const settled = unsettled.slice(0, length)
    unsettled = unsettled.slice(length)
    held += tokenizer.cleansUp ? cleanUp(settled) : settled
    if (!hasStarted) held = pythonStripStart(held)
    hasStarted ||= held !== ''
  }

  return {
    push(id) {
      unsettled += decoder.push(id)
      settle(false)
      const delta = withoutPossibleEnd(held, endText)
      held = held.slice(delta.length)
      return delta
    },
    finish() {
      unsettled += decoder.finish()
      settle(true)
      const stripped = pythonStripEnd(held)
      if (endText === '' || !stripped.endsWith(endText)) return stripped
      return pythonStripEnd(stripped.slice(0, -endText.length))
    },
  }
}

/** Decodes whole answers: all of a `TextStream`'s deltas at once. */
export function decodeText(tokenizer: Tokenizer, ids: readonly number[], endText = ''): string {
  const stream = createTextStream(tokenizer, endText)
  return ids.map((id) => stream.push(id)).join('') + stream.finish()
}

/** The text without white space, and any beginning of `endText`, at its end. */
function withoutPossibleEnd(text: string, endText: string): string {
  const stripped = pythonStripEnd(text)
  for (let length = Math.min(endText.length, stripped.length); length > 0; length -= 1) {
    if (stripped.endsWith(endText.slice(0, length))) return pythonStripEnd(stripped.slice(0, -length))
  }
  return stripped
}
