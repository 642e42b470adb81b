import type { FrameFeatures } from '../../types.js'
import { StreamError, throwIfAborted } from '../../errors.js'
import type { Manifest } from '../manifest.js'
import type { VisualTokens } from '../model.js'
import { buildPrompt } from '../parts/templates/prompt.js'
import { templates } from '../parts/templates/templates.js'
import { openBundle } from '../runtime/bundle.js'
import { featuresTensor } from '../runtime/features.js'
import { createGate } from '../runtime/native-gate.js'
import { layOutPrompt } from '../runtime/prompt-layout.js'
import { floatOutput, openSession } from '../runtime/session.js'
import { planThreads } from '../runtime/threads.js'
import { loadTokenizer } from '../tokenizer/load-tokenizer.js'
import { encodePrompt } from '../tokenizer/prompt-ids.js'
import type { ExplainedAnswer, ExplainedStep, PatchGrid } from './explained-answer.js'
import { type AnswerRow, type UseGraph, runAnswer } from './run-answer.js'
import { type ClipTokens, lookedSources, ownSources, traceToPatches } from './trace-to-patches.js'

/** An answer that was given, and what it was given to. */
export interface AnswerToExplain {
  /** What the tower made of each frame, in order. */
  readonly frames: readonly FrameFeatures[]
  /** What the connector made of them. */
  readonly visual: VisualTokens
  readonly question: string
  /** Name of the chat template. @default the bundle's */
  readonly template?: string
  /** Tokens of the answer, the one that ended it included; at least one. */
  readonly tokenIds: readonly number[]
  /**
   * Most maps of single tokens, one a token and frame: the first tokens get theirs, as many as have room. A map takes 4 bytes a place
   * in memory, and about 1 kB in a page. For tests, and not checked: nothing public sets it. @default 2048
   */
  readonly mostMaps?: number
  /** Threads of the processor. @default all cores this process may use */
  readonly threads?: number
  /** Stops between two runs; the promise rejects with `ABORTED`. */
  readonly signal?: AbortSignal
}

/** So that an answer of 128 tokens about 16 frames has all its maps. */
const MOST_MAPS = 2048

/**
 * Says why an answer came out as it did: how likely each token was and what else was, how much the model looked at the visual
 * tokens when it chose it, and where in the frames these come from.
 *
 * Attention is averaged over heads and layers; the connector's, too, over those of its layers that look at tokens. That is where each
 * layer looked, exactly, and a summary of several: what queries hand to each other between two looks isn't followed. The answer isn't
 * made again: its tokens are run once, side by side, behind the prompt. It runs on the processor, on the caller's thread.
 *
 * @throws {StreamError} `BUNDLE_*`, `TOKENIZER_INVALID`, `PART_UNKNOWN`, `PROMPT_TOO_LONG`, `SETTING_INVALID`, `MODEL_FAILED`, `ABORTED`.
 *
 * @example
 * ```ts
 * const { tokens, patches } = await explainAnswer('./models/door', { frames, visual, question, tokenIds: answer.tokenIds })
 * tokens[0] // { text: 'A', probability: 0.93, others: [{ text: 'The', probability: 0.04 }, …], pictureShare: 0.31, maps: […] }
 * ```
 */
export async function explainAnswer(bundleDir: string, answer: AnswerToExplain): Promise<ExplainedAnswer> {
  const { manifest } = await openBundle(bundleDir)
  if (answer.tokenIds.length === 0) throw new StreamError('SETTING_INVALID', 'There is no token to explain in an empty answer.')
  const tokenizer = await loadTokenizer(bundleDir)
  const [threads, gate] = [planThreads(answer.threads), createGate()]
  const goOn = (): void => { throwIfAborted(answer.signal, 'The explanation') }
  // One graph at a time stays in memory: the decoder's weights are gone before the connector's come.
  const use: UseGraph = async (graph, work) => {
    goOn()
    const session = await openSession(bundleDir, graph, threads[graph], gate)
    return work(session).finally(() => session.release())
  }

  const prompt = encodePrompt(tokenizer, buildPrompt(templates.get(answer.template ?? manifest.template), answer.question))
  const layout = layOutPrompt(prompt, answer.visual.tokens, manifest.languageModel)
  const { visual: { data: visual }, tokenIds } = answer
  const rows = await runAnswer(use, { layout, visual, tokenIds, tokenizer, model: manifest.languageModel, goOn })
  const clip = { frames: answer.frames.length, tokensPerFrame: manifest.visionTower.tokensPerFrame }
  const sourceOf = await sources(use, { manifest, answer, clip })
  const trace = (weights: Float32Array): readonly Float32Array[] => traceToPatches(weights, sourceOf, clip, manifest.explaining.patches)
  const withMaps = Math.floor((answer.mostMaps ?? MOST_MAPS) / clip.frames)
  const tokens = rows.map(({ chosen, weights }, step): ExplainedStep => {
    const pictureShare = weights.reduce((sum, share) => sum + share, 0)
    return { ...chosen, pictureShare, maps: step < withMaps ? trace(weights) : [] }
  })
  return { tokens, maps: trace(summed(rows, layout.visualTokens)), patches: patchGrid(manifest) }
}

/** How much all tokens together looked at each visual token. */
function summed(rows: readonly AnswerRow[], visualTokens: number): Float32Array {
  const sums = new Float32Array(visualTokens)
  for (const { weights } of rows) weights.forEach((weight, visual) => { sums[visual] = (sums[visual] ?? 0) + weight })
  return sums
}

function patchGrid({ explaining: { patches: { across } }, visionTower: { imageSize, shortestEdge, padColour } }: Manifest): PatchGrid {
  const crop = shortestEdge === undefined ? {} : { crop: imageSize / shortestEdge }
  return { rows: across, columns: across, ...crop, padsPictures: padColour !== undefined }
}

/** Where the visual tokens come from. */
async function sources(
  use: UseGraph,
  { manifest, answer, clip }: { manifest: Manifest; answer: AnswerToExplain; clip: ClipTokens },
): Promise<Parameters<typeof traceToPatches>[1]> {
  if (!manifest.explaining.looks) return ownSources(answer.visual.tokens, clip)
  return use('explainingConnector', async (session) => {
    const outputs = await session.run({ features: featuresTensor(answer.frames) })
    const data = floatOutput(session, outputs, 'attention')
    const [parts = 0, queries = 0, context = 0] = outputs.attention?.dims ?? []
    return lookedSources({ data, parts, queries, context }, clip)
  })
}
