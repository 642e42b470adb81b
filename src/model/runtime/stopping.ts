/** When an answer ends. */
export interface StopRules {
  /** Tokens that end an answer at once. */
  readonly eosTokenIds: readonly number[]
  /** Ids of the template's end text: an answer that ends in them ends. */
  readonly endTextIds: readonly number[]
  /** Most tokens of an answer. */
  readonly maxNewTokens: number
}

/**
 * Why an answer ends after these tokens: `stop` by an end token or the end text, `length` by the limit;
 * undefined where it goes on.
 */
export function stopReason(tokenIds: readonly number[], rules: StopRules): 'stop' | 'length' | undefined {
  const last = tokenIds.at(-1)
  if (last !== undefined && rules.eosTokenIds.includes(last)) return 'stop'
  if (endsWith(tokenIds, rules.endTextIds)) return 'stop'
  return tokenIds.length >= rules.maxNewTokens ? 'length' : undefined
}

function endsWith(tokenIds: readonly number[], end: readonly number[]): boolean {
  if (end.length === 0 || end.length > tokenIds.length) return false
  const start = tokenIds.length - end.length
  return end.every((id, index) => tokenIds[start + index] === id)
}
