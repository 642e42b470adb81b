import { throwIfAborted } from '../../errors.js'
import type { FrameFeatures } from '../../types.js'
import { loadTokenizer } from '../tokenizer/tokenizer.js'
import { connectFrames } from './connector.js'
import { encodePicture } from './encoder.js'
import { type GenerateHooks, generate } from './generate.js'
import type { EncodeJob, Job, JobResult, WorkerSettings } from './protocol.js'
import { type GraphName, type GraphSession, openSession } from './session.js'

/** A model's sessions and tokenizer, on the thread that runs them. */
export interface Engine {
  /** Does one job. Jobs must not overlap. */
  run(job: Job, hooks: GenerateHooks): Promise<JobResult>
}

/**
 * Opens a bundle's graphs and tokenizer.
 *
 * @throws {StreamError} `MODEL_FAILED`, `TOKENIZER_INVALID`.
 */
export async function openEngine({ bundleDir, manifest, threads, gate }: WorkerSettings): Promise<Engine> {
  const { visionTower, languageModel } = manifest
  const tokenizer = await loadTokenizer(bundleDir)
  const open = (graph: GraphName): Promise<GraphSession> => openSession(bundleDir, graph, threads[graph], gate)
  const encoder = { preprocess: await open('preprocess'), visionEncoder: await open('visionEncoder') }
  const connector = await open('connector')
  const textModel = { tokenizer, languageModel, embedTokens: await open('embedTokens'), decoder: await open('decoder') }

  const encode = async ({ pictures }: EncodeJob, signal: AbortSignal): Promise<FrameFeatures[]> => {
    const features: FrameFeatures[] = []
    for (const picture of pictures) {
      throwIfAborted(signal, 'Encoding')
      features.push(await encodePicture(encoder, visionTower, picture))
    }
    return features
  }

  return {
    async run(job, hooks) {
      switch (job.kind) {
        case 'open':
          return null
        case 'encode':
          return encode(job, hooks.signal)
        case 'connect':
          return connectFrames(connector, job.frames, languageModel.width)
        case 'generate':
          return generate(textModel, job, hooks)
      }
    },
  }
}
