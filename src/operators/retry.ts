import { StreamError } from '../errors.js'

/**
 * Repeats work that failed with an error that says trying again can help.
 *
 * @param work The work; called once, and once more for each retry.
 * @param retries Most repetitions.
 * @returns what the first successful call gave; rejects with the last error.
 */
export async function withRetries<T>(work: () => Promise<T>, retries: number): Promise<T> {
  for (let left = retries; ; left -= 1) {
    try {
      return await work()
    } catch (error) {
      const isHopeless = !(error instanceof StreamError && error.canRetry)
      if (isHopeless || left === 0) throw error
    }
  }
}
