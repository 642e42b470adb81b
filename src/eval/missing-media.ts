import { stat } from 'node:fs/promises'

import { StreamError } from '../errors.js'
import type { EvalMedia, EvalSample } from './benchmark.js'

/**
 * Checks that every video and picture, and what goes with it, is there, before a model is loaded and asked for hours.
 *
 * @throws {StreamError} `EVAL_DATA_NOT_FOUND`, with the number of missing ones and the first of them.
 */
export async function expectMedia(samples: readonly EvalSample[]): Promise<void> {
  const paths = new Set(samples.flatMap(({ media }) => filesOf(media)))
  const missing: string[] = []
  for (const path of paths) {
    const isThere = await stat(path).then(() => true, () => false)
    if (!isThere) missing.push(path)
  }
  if (missing.length === 0) return
  const message = `${missing.length} of ${paths.size} videos or pictures are missing, first ${missing[0] ?? ''}. Fetch them, or leave their questions out by --skip-missing.`
  throw new StreamError('EVAL_DATA_NOT_FOUND', message)
}

function filesOf(media: EvalMedia): readonly string[] {
  if (!('path' in media)) return []
  const { needs = [] } = media.kind === 'video' ? media : {}
  return [media.path, ...needs]
}
