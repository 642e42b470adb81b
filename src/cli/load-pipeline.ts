import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'

import { createJiti } from 'jiti'
import * as rxjs from 'rxjs'

import { StreamError } from '../errors.js'
import * as library from '../index.js'
import { definePipeline } from '../service/define-pipeline.js'
import type { Pipeline } from '../service/define-pipeline.js'

/**
 * Loads the pipeline that a TypeScript or JavaScript file exports by default.
 *
 * The file may lie anywhere: its imports of `tinyllava-stream` and `rxjs` are this very package and the
 * rxjs that it uses, so that classes and registries are the same ones. Works on every supported Node, as
 * types are stripped by jiti and not by Node.
 *
 * @param path The file.
 * @param handed What the file finds in `process.argv.slice(2)`.
 * @throws {StreamError} `PIPELINE_INVALID`, or what the file itself throws.
 */
export async function loadPipeline(path: string, handed: readonly string[] = []): Promise<Pipeline> {
  const file = resolve(path)
  const isFile = await stat(file).then((stats) => stats.isFile(), () => false)
  if (!isFile) throw new StreamError('PIPELINE_INVALID', `There is no file ${file}: name a pipeline's file.`)

  process.argv.splice(1, Infinity, file, ...handed)
  const jiti = createJiti(import.meta.url, {
    fsCache: false,
    interopDefault: false,
    virtualModules: { 'tinyllava-stream': library, rxjs },
  })
  return definePipeline((await evaluate(jiti, file)) as Pipeline)
}

async function evaluate(jiti: ReturnType<typeof createJiti>, file: string): Promise<unknown> {
  try {
    const exported = await jiti.import<{ default?: unknown }>(file)
    return exported.default
  } catch (error) {
    if (error instanceof StreamError) throw error
    const reason = error instanceof Error ? error.message : String(error)
    throw new StreamError('PIPELINE_INVALID', `${file} could not be loaded: ${reason}`, { cause: error })
  }
}
