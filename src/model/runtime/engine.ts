import { checkEndTokens } from '../tokenizer/check-end-tokens.js'
import { loadTokenizer } from '../tokenizer/load-tokenizer.js'
import { createAppendingDecoder } from './appending-decoder.js'
import { connectClip, openConnectors } from './connector.js'
import { encodePictures } from './encoder.js'
import { createGrowingDecoder } from './growing-decoder.js'
import type { JobHooks } from './lane.js'
import type { LanguageDecoder } from './language-decoder.js'
import { PrefixCache } from './prefix-cache.js'
import type { Job, JobResult, WorkerSettings } from './protocol.js'
import { type GraphName, type GraphSession, openSession } from './session.js'
import { TextLane } from './text-lane.js'
import { VisionLane } from './vision-lane.js'
import { WorkLoop } from './work-loop.js'

const MIB = 1024 ** 2

/** A model's sessions and tokenizer, on the thread that runs them. */
export interface Engine {
  /** Does a job. Jobs may overlap: answers share their runs, the rest takes turns. */
  run(job: Job, hooks: JobHooks): Promise<JobResult>
  /** Resolves after the run under way; no job goes on. */
  stop(): Promise<void>
}

/**
 * Opens a bundle's graphs and tokenizer.
 *
 * ```
 * encode, connect ─► vision lane ─┐
 *                                 ├─ work loop: a step of one, a step of the other
 * generate ────────► text lane ───┘
 * ```
 *
 * @throws {StreamError} `MODEL_FAILED`, `TOKENIZER_INVALID`.
 */
export async function openEngine({ bundleDir, manifest, device, threads, limits, gate }: WorkerSettings): Promise<Engine> {
  const { visionTower, languageModel } = manifest
  const tokenizer = await loadTokenizer(bundleDir)
  checkEndTokens(bundleDir, tokenizer, languageModel)
  const open = (graph: GraphName): Promise<GraphSession> => openSession(bundleDir, graph, threads[graph], gate)
  const encoder = { preprocess: await open('preprocess'), visionEncoder: await open('visionEncoder') }
  const connectors = await openConnectors(manifest, open)
  const openDecoder = async (): Promise<LanguageDecoder> => {
    // Only this device hands tensors out that stay in its memory.
    if (device.kind === 'webgpu') return createGrowingDecoder({ session: await open('decoder'), manifest })
    return createAppendingDecoder({ session: await open('appendingDecoder'), model: languageModel }, limits.maxAnswers)
  }
  const text = new TextLane({
    tokenizer,
    languageModel,
    width: languageModel.width,
    embedTokens: await open('embedTokens'),
    decoder: await openDecoder(),
    prefixes: new PrefixCache(limits.prefixCacheMb * MIB),
    chunk: limits.prefillChunk,
    maxAnswers: limits.maxAnswers,
    maxBurstMs: limits.maxBurstMs,
  })
  const vision = new VisionLane({
    encode: (pictures) => encodePictures(encoder, visionTower, pictures),
    connect: (job) => connectClip(connectors, job, manifest),
    maxBatch: limits.maxVisionBatch,
    maxWaitMs: limits.maxVisionWaitMs,
    onReady: () => {
      loop.wake()
    },
  })
  const loop = new WorkLoop([vision, text])

  const begin = (job: Job, hooks: JobHooks): Promise<JobResult> => {
    switch (job.kind) {
      case 'open':
        return Promise.resolve(null)
      case 'encode':
        return vision.encode(job, hooks)
      case 'connect':
        return vision.connect(job, hooks)
      case 'generate':
        return text.answer(job, hooks)
    }
  }

  return {
    run(job, hooks) {
      const result = begin(job, hooks)
      loop.wake()
      return result
    },
    async stop() {
      vision.close()
      await loop.stop()
      // What lies in a device's memory must go before the thread does.
      await text.close()
    },
  }
}
