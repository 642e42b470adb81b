import { Tensor } from 'onnxruntime-node'
import type { FrameFeatures } from '../../types.js'
import type { VisualTokens } from '../model.js'
import { type GraphSession, floatOutput } from './session.js'

/**
 * Runs the connector over a whole clip.
 *
 * ```
 * f32 [frames, tokens, visionWidth] ─ connector ─► f32 [visual, width]
 * ```
 *
 * @param frames At least one, all of the same size, in order.
 * @param width Width of the language model.
 * @throws {StreamError} `MODEL_FAILED`.
 */
export async function connectFrames(
  connector: GraphSession,
  frames: readonly FrameFeatures[],
  width: number,
): Promise<VisualTokens> {
  const startedAt = performance.now()
  const outputs = await connector.run({ features: stack(frames) })
  const data = floatOutput(connector, outputs, 'visual_tokens')
  return { data, tokens: data.length / width, width, connectMs: performance.now() - startedAt }
}

function stack(frames: readonly FrameFeatures[]): Tensor {
  const { tokens, width } = frames[0] ?? { tokens: 0, width: 0 }
  const size = tokens * width
  const data = new Float32Array(frames.length * size)
  frames.forEach((frame, index) => {
    data.set(frame.data, index * size)
  })
  return new Tensor('float32', data, [frames.length, tokens, width])
}
