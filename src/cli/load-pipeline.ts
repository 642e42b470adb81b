import { resolve } from 'node:path'

import { definePipeline } from '../service/define-pipeline.js'
import type { Pipeline } from '../service/define-pipeline.js'
import { evaluateUserFile } from './user-file.js'

/**
 * Loads the pipeline that a TypeScript or JavaScript file exports by default: see `evaluateUserFile`.
 *
 * @param path The file.
 * @param handed What the file finds in `process.argv.slice(2)`.
 * @throws {StreamError} `PIPELINE_INVALID`, or what the file itself throws.
 */
export async function loadPipeline(path: string, handed: readonly string[] = []): Promise<Pipeline> {
  process.argv.splice(1, Infinity, resolve(path), ...handed)
  const exported = await evaluateUserFile({ path, purpose: 'a pipeline', code: 'PIPELINE_INVALID' })
  return definePipeline(exported.default as Pipeline)
}
