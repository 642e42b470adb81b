import { Tensor } from 'onnxruntime-node'
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
