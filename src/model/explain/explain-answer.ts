
import type { FrameFeatures } from '../../types.js'
import { StreamError, throwIfAborted } from '../../errors.js'
import type { Manifest } from '../manifest.js'
import type { VisualTokens } from '../model.js'
import { buildPrompt } from '../parts/templates/prompt.js'
import { templates } from '../parts/templates/templates.js'
import { openBundle } from '../runtime/bundle.js'
import { embedTokens } from '../runtime/embedding.js'
import { featuresTensor } from '../runtime/features.js'
import { joined } from '../runtime/joined.js'
import { createGate } from '../runtime/native-gate.js'
import { type PromptLayout, layOutPrompt } from '../runtime/prompt-layout.js'
import { type GraphName, type GraphSession, floatOutput, openSession } from '../runtime/session.js'
import { planThreads } from '../runtime/threads.js'
import { loadTokenizer } from '../tokenizer/load-tokenizer.js'
import { encodePrompt } from '../tokenizer/prompt-ids.js'
import type { ExplainedAnswer, ExplainedStep, PatchGrid } from './explained-answer.js'
import { type ExplainedRows, beginExplaining } from './explaining-decoder.js'
import { chosenToken } from './likeliest-tokens.js'
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
  /** Threads of the processor. @default all cores this process may use */
  readonly threads?: number
  /** Stops between two runs; the promise rejects with `ABORTED`. */
  readonly signal?: AbortSignal
}

/** Rows of a prompt in one run: the attention of all layers at once would be large. */
const CHUNK = 128

/**
 * Says why an answer came out as it did: how likely each token was and what else was, how much the model looked at the visual
 * tokens when it chose it, and where in the frames these come from.
 *
 * Attention is averaged over heads and layers; the connector's, too, over those of its layers that look at tokens. The answer isn't
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
  const rows = await runAnswer(use, { layout, answer, model: manifest.languageModel, goOn })
  const clip = { frames: answer.frames.length, tokensPerFrame: manifest.visionTower.tokensPerFrame }
  const sourceOf = await sources(use, { manifest, answer, clip })
  const { patches } = manifest.explaining
  const steps = answer.tokenIds.map((id, step): ExplainedStep => {
    const [logits, looked] = [expectRow(rows.logits[step]), expectRow(rows.attention[step])]
    const weights = looked.subarray(layout.before.length, layout.before.length + layout.visualTokens)
    const pictureShare = weights.reduce((sum, share) => sum + share, 0)
    return { ...chosenToken(tokenizer, logits, id), pictureShare, maps: traceToPatches(weights, sourceOf, clip, patches) }
  })
  return { tokens: steps, patches: patchGrid(manifest) }
}

function patchGrid({ explaining: { patches: { across } }, visionTower: { imageSize, shortestEdge, padColour } }: Manifest): PatchGrid {
  const crop = shortestEdge === undefined ? {} : { crop: imageSize / shortestEdge }
  return { rows: across, columns: across, ...crop, padsPictures: padColour !== undefined }
}

/** Opens a graph, works with it and lets it go. */
type UseGraph = <Result>(graph: GraphName, work: (session: GraphSession) => Promise<Result>) => Promise<Result>

/** What the prompt's last position and each token but the last looked at and predicted. */
async function runAnswer(
  use: UseGraph,
  { layout, answer, model, goOn }: { layout: PromptLayout; answer: AnswerToExplain; model: Manifest['languageModel']; goOn: () => void },
): Promise<ExplainedRows> {
  const { width } = model
  const visual = answer.visual.data.subarray(0, layout.visualTokens * width)
  const { prompt, said } = await use('embedTokens', async (embedder) => {
    const embed = (ids: readonly number[]): Promise<Float32Array> => embedTokens(embedder, ids, width)
    const texts = [await embed(layout.before), visual, await embed(layout.after)]
    return { prompt: joined(Float32Array, texts), said: await embed(answer.tokenIds.slice(0, -1)) }
  })
  const last = prompt.length - width
  return use('explainingDecoder', async (decoder) => {
    const text = beginExplaining(decoder, model, layout.length + answer.tokenIds.length)
    for (let at = 0; at < last; at += CHUNK * width) {
      goOn()
      await text.append(prompt.slice(at, Math.min(at + CHUNK * width, last)), 1)
    }
    return text.append(joined(Float32Array, [prompt.slice(last), said]), answer.tokenIds.length)
  })
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

function expectRow(row: Float32Array | undefined): Float32Array {
  if (row !== undefined) return row
  throw new StreamError('MODEL_FAILED', 'The decoder explained fewer tokens than the answer has.')
}
