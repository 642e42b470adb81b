import { resolveGeneration } from '../../generation-settings.js'
import type { FrameFeatures } from '../../types.js'
import { CPU } from '../device/device.js'
import type { Manifest } from '../manifest.js'
import type { Pixels, VisualTokens } from '../model.js'
import { buildPrompt } from '../parts/templates/prompt.js'
import { templates } from '../parts/templates/templates.js'
import { type AnswerRun, startAnswer } from '../runtime/answer-run.js'
import { createAppendingDecoder } from '../runtime/appending-decoder.js'
import { openBundle } from '../runtime/bundle.js'
import { connectClip, openConnectors } from '../runtime/connector.js'
import { embedTokens } from '../runtime/embedding.js'
import { encodePictures } from '../runtime/encoder.js'
import { checkFrames } from '../runtime/input-checks.js'
import { planLimits } from '../runtime/limits.js'
import { createGate } from '../runtime/native-gate.js'
import { prefill } from '../runtime/prefill.js'
import { PrefixCache } from '../runtime/prefix-cache.js'
import { type GraphName, type GraphSession, openSession } from '../runtime/session.js'
import { planThreads } from '../runtime/threads.js'
import { loadTokenizer } from '../tokenizer/load-tokenizer.js'

/** A greedy answer, with what the language model thought at each token. */
export interface WatchedAnswer {
  readonly tokenIds: readonly number[]
  readonly text: string
  /** Logits before each token, float32 `[vocabulary]`. */
  readonly logits: readonly Float32Array[]
}

/** What is asked of the language model. */
export interface WatchedQuestion {
  readonly visual: VisualTokens
  readonly question: string
  readonly maxNewTokens: number
  /** Tokens to follow instead of its own, so that two models are looked at in the same places. */
  readonly follow?: readonly number[]
}

/** A model's stages, one by one and on the caller's thread: to look at, not to serve with. */
export interface Stages {
  readonly manifest: Manifest
  encode(pictures: readonly Pixels[]): Promise<readonly FrameFeatures[]>
  connect(frames: readonly FrameFeatures[]): Promise<VisualTokens>
  /** @throws {StreamError} `PROMPT_TOO_LONG`. */
  answer(question: WatchedQuestion): Promise<WatchedAnswer>
}

/**
 * Opens a bundle's graphs on the processor; each run blocks the calling thread.
 *
 * @throws {StreamError} `BUNDLE_*`, `TOKENIZER_INVALID`, `MODEL_FAILED`.
 */
export async function openStages(bundleDir: string): Promise<Stages> {
  const { manifest } = await openBundle(bundleDir)
  const { languageModel, visionTower, template: templateName } = manifest
  const [threads, gate, tokenizer] = [planThreads(), createGate(), await loadTokenizer(bundleDir)]
  const open = (graph: GraphName): Promise<GraphSession> => openSession(bundleDir, graph, threads[graph], gate)
  const encoder = { preprocess: await open('preprocess'), visionEncoder: await open('visionEncoder') }
  const connectors = await openConnectors(manifest, open)
  const embedder = await open('embedTokens')
  const decoder = createAppendingDecoder({ session: await open('appendingDecoder'), model: languageModel }, 1)
  const { prefillChunk: chunk } = planLimits({}, CPU)
  const { width } = languageModel
  const template = templates.get(templateName)

  const run = async (answer: AnswerRun, follow: readonly number[] | undefined): Promise<readonly Float32Array[]> => {
    // No memory for prefixes: clips have no numbers here.
    const steps = prefill({ embedTokens: embedder, decoder, width, prefixes: new PrefixCache(0), chunk }, answer.job, answer.layout)
    const { sequence, logits: first } = await lastOf(steps)
    const seen: Float32Array[] = []
    try {
      for (let logits = first; ; ) {
        seen.push(logits.slice())
        const own = follow === undefined ? answer.take(logits) : follow[seen.length - 1]
        if (own === undefined || seen.length === follow?.length) return seen
        const [next] = await decoder.step([sequence], await embedTokens(embedder, [own], width))
        if (next === undefined) return seen
        logits = next
      }
    } finally {
      sequence.dispose()
    }
  }

  return {
    manifest,
    encode: (pictures) => encodePictures(encoder, visionTower, pictures),
    connect: async (frames) => {
      const job = { kind: 'connect', frames: checkFrames(frames, visionTower) } as const
      return (await lastOf(connectClip(connectors, job, manifest))).visual
    },
    async answer({ visual, question, maxNewTokens, follow }) {
      const [prompt, settings] = [buildPrompt(template, question), resolveGeneration({ maxNewTokens })]
      const job = { kind: 'generate', clip: 0, visual, prompt, endText: template.endText, ...settings } as const
      const answer = startAnswer(job, { tokenizer, languageModel, onDelta: () => undefined })
      const logits = await run(answer, follow)
      const { text, tokenIds } = answer.finish()
      return { text, tokenIds: follow ?? tokenIds, logits }
    },
  }
}

/** Runs a generator to its end. */
async function lastOf<Result>(steps: AsyncGenerator<void, Result>): Promise<Result> {
  for (;;) {
    const { done, value } = await steps.next()
    if (done === true) return value
  }
}
