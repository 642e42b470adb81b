import { Tensor } from 'onnxruntime-node'
import { StreamError } from '../../errors.js'
import type { FrameFeatures } from '../../types.js'
import { GRAPH_FILES, type Manifest } from '../manifest.js'
import type { Pixels } from '../model.js'
import { type GraphSession, floatOutput } from './session.js'

/** The sessions a picture goes through. */
export interface EncoderSessions {
  readonly preprocess: GraphSession
  readonly visionEncoder: GraphSession
}

/**
 * Encodes one picture: resizes it as Pillow does and runs the vision tower.
 *
 * ```
 * u8 [1, height, width, 3] ─ preprocess ─► u8 [1, S, S, 3], bool [1] ─ vision_encoder ─► f32 [1, tokens, width]
 * ```
 *
 * One picture at a time: on the CPU a batch is no quicker than its pictures one by one, and a run can be
 * stopped between two of them.
 *
 * @throws {StreamError} `MODEL_FAILED`.
 */
export async function encodePicture(
  { preprocess, visionEncoder }: EncoderSessions,
  { tokensPerFrame: tokens, width }: Manifest['visionTower'],
  picture: Pixels,
): Promise<FrameFeatures> {
  const frame = new Tensor('uint8', picture.data, [1, picture.height, picture.width, 3])
  const { pixels, near_black: nearBlack } = await preprocess.run({ frame })
  if (pixels === undefined || nearBlack === undefined) {
    throw new StreamError('MODEL_FAILED', `Graph \`${GRAPH_FILES.preprocess}\` gave no \`pixels\` or no \`near_black\`.`)
  }
  const outputs = await visionEncoder.run({ pixels, near_black: nearBlack })
  return { data: floatOutput(visionEncoder, outputs, 'features', tokens * width), tokens, width }
}
