/** Decodes a run of tokens as they come, without an added token between them. */
export interface RunDecoder<Token> {
  /** Text that the token settles: whole characters, maybe none. */
  push(token: Token): string
  /** Ends the run: an unfinished character becomes U+FFFD. */
  finish(): string
}

/** Joins runs of tokens, and the added tokens between them, to text. */
export interface RunJoiner<Token> {
  /** Takes a token of a run. */
  push(token: Token): string
  /** Takes an added token, which stands for itself. */
  pushAdded(text: string): string
  finish(): string
}

/**
 * Makes a joiner that does what the slow tokenizers' `_decode` does (transformers 4.40.1 `tokenization_utils.py`).
 *
 * @param separator Between runs and added tokens: a space, as all slow tokenizers have it but Qwen2's and Gemma's, or nothing.
 *   Runs without text are left out, but for the last.
 * @param beginRun Makes the decoder of one run.
 */
export function createRunJoiner<Token>(separator: string, beginRun: () => RunDecoder<Token>): RunJoiner<Token> {
  let run: RunDecoder<Token> | undefined
  let runHasText = false
  let isEmpty = true

  const separate = (): string => {
    const text = isEmpty ? '' : separator
    isEmpty = false
    return text
  }
  /** Text of the run, after a separator where it is the first. */
  const ofRun = (text: string): string => {
    if (text === '' || runHasText) return text
    runHasText = true
    return separate() + text
  }
  const endRun = (): string => {
    const text = ofRun(run?.finish() ?? '')
    run = undefined
    return text
  }

  return {
    push(token) {
      if (run === undefined) {
        run = beginRun()
        runHasText = false
      }
      return ofRun(run.push(token))
    },
    pushAdded: (text) => endRun() + separate() + text,
    finish() {
      const isTextless = run !== undefined && !runHasText
      const text = endRun()
      return isTextless && text === '' ? separate() : text
    },
  }
}
