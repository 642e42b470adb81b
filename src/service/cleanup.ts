/**
 * Runs work and then, however it ended, its clean-up.
 *
 * Where both fail, the work's error counts: it came first, and often led to the other.
 *
 * @returns what the work returned.
 */
export async function withCleanup<T>(work: () => Promise<T>, cleanup: () => Promise<void>): Promise<T> {
  let result: T
  try {
    result = await work()
  } catch (error) {
    await cleanup().catch(() => undefined)
    throw error
  }
  await cleanup()
  return result
}
