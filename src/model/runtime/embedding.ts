import { Tensor } from 'onnxruntime-node'
import type { VisualTokens } from '../model.js'
import type { PromptLayout } from './prompt-layout.js'
import { type GraphSession, floatOutput } from './session.js'

/**
 * Looks up token embeddings.
 *
 * @param ids Token ids; none gives an empty array without running the graph.
 * @param width Width of the language model.
 * @returns float32 `[ids, width]`, row by row.
 * @throws {StreamError} `MODEL_FAILED`.
 */
export async function embedTokens(
  session: GraphSession,
  ids: readonly number[],
  width: number,
): Promise<Float32Array> {
  if (ids.length === 0) return new Float32Array(0)
  const inputIds = new Tensor('int64', BigInt64Array.from(ids, BigInt), [1, ids.length])
  const outputs = await session.run({ input_ids: inputIds })
  return floatOutput(session, outputs, 'inputs_embeds', ids.length * width)
}

/**
 * Puts a prompt's embeddings together: text, visual tokens, text.
 *
 * @returns float32 `[layout.length, width]`, row by row.
 * @throws {StreamError} `MODEL_FAILED`.
 */
export async function embedPrompt(
  session: GraphSession,
  layout: PromptLayout,
  visual: VisualTokens,
): Promise<Float32Array> {
  const { width } = visual
  const text = await embedTokens(session, [...layout.before, ...layout.after], width)
  const visualStart = layout.before.length * width
  const visualEnd = visualStart + layout.visualTokens * width

  const embeddings = new Float32Array(layout.length * width)
  embeddings.set(text.subarray(0, visualStart), 0)
  embeddings.set(visual.data.subarray(0, layout.visualTokens * width), visualStart)
  embeddings.set(text.subarray(visualStart), visualEnd)
  return embeddings
}
