import { stat } from 'node:fs/promises'

import { StreamError } from '../errors.js'
import type { EvalSample } from './benchmark.js'

/**
 * Checks that every video and picture is there, before a model is loaded and asked for hours.
 *
 * @throws {StreamError} `EVAL_DATA_NOT_FOUND`, with the number of missing ones and the first of them.
 */
export async function expectMedia(samples: readonly EvalSample[]): Promise<void> {
  const paths = new Set(samples.flatMap(({ media }) => (media.kind === 'nothing' ? [] : [media.path])))
  const missing: string[] = []
  for (const path of paths) {
    const isThere = await stat(path).then(() => true, () => false)
    if (!isThere) missing.push(path)
  }
  if (missing.length === 0) return
  const message = `${missing.length} of ${paths.size} videos or pictures are missing, first ${missing[0] ?? ''}. Fetch them, or leave their questions out by --skip-missing.`
  throw new StreamError('EVAL_DATA_NOT_FOUND', message)
}
