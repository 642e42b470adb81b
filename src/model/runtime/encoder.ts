import { Tensor } from 'onnxruntime-node'
import { StreamError } from '../../errors.js'
import type { FrameFeatures } from '../../types.js'
import { expectFinite } from '../feature-values.js'
import { GRAPH_FILES, type Manifest, PIXEL_LEVELS } from '../manifest.js'
import type { Pixels } from '../model.js'
import { joined } from './joined.js'
import { padToSquare } from './pad-to-square.js'
import { type GraphSession, float16Output, floatOutput } from './session.js'

/** The sessions a picture goes through. */
export interface EncoderSessions {
  readonly preprocess: GraphSession
  readonly visionEncoder: GraphSession
}

/** A picture at the tower's size. */
interface Resized {
  /** uint8 `[S, S, 3]`. */
  readonly pixels: Uint8Array
  /** One of `PIXEL_LEVELS`. */
  readonly levels: number
}

/**
 * Encodes pictures of any sizes: resizes each as Pillow does and runs the vision tower over all of them.
 *
 * ```
 * u8 [1, height, width, 3] ─ preprocess ─► u8 [1, S, S, 3], levels ─┐
 * u8 [1, height, width, 3] ─ preprocess ─► u8 [1, S, S, 3], levels ─┴ vision_encoder ─► [pictures, tokens, width]
 * ```
 *
 * Those that are no video's frames are laid on a square first, where the model was trained so.
 *
 * @throws {StreamError} `MODEL_FAILED`, `FRAME_TOO_LARGE`.
 */
export async function encodePictures(
  { preprocess, visionEncoder }: EncoderSessions,
  { tokensPerFrame: tokens, width, imageSize: side, padColour, features: type }: Manifest['visionTower'],
  pictures: readonly Pixels[],
): Promise<readonly FrameFeatures[]> {
  const resized: Resized[] = []
  for (const picture of pictures) resized.push(await resize(preprocess, squared(picture, padColour)))
  const outputs = await visionEncoder.run({
    pixels: new Tensor('uint8', joined(Uint8Array, resized.map(({ pixels }) => pixels)), [pictures.length, side, side, 3]),
    levels: new Tensor('int64', BigInt64Array.from(resized, ({ levels }) => BigInt(levels)), [pictures.length]),
  })
  const size = tokens * width
  const count = pictures.length * size
  const features = type === 'float16'
    ? expectFinite(float16Output(visionEncoder, outputs, 'features', count))
    : floatOutput(visionEncoder, outputs, 'features', count)
  // Each is handed on by itself, with memory of its own.
  if (pictures.length === 1) return [{ data: features, tokens, width }]
  return pictures.map((_, place) => ({ data: features.slice(place * size, (place + 1) * size), tokens, width }))
}

/** A video's frame is never laid on a square, as the reference has it. */
function squared(picture: Pixels, padColour: readonly number[] | undefined): Pixels {
  return picture.kind === 'picture' && padColour !== undefined ? padToSquare(picture, padColour) : picture
}

async function resize(preprocess: GraphSession, picture: Pixels): Promise<Resized> {
  const frame = new Tensor('uint8', picture.data, [1, picture.height, picture.width, 3])
  const { pixels, near_black: nearBlack } = await preprocess.run({ frame })
  if (pixels?.data instanceof Uint8Array && nearBlack?.data instanceof Uint8Array) {
    return { pixels: pixels.data, levels: levelsOf(picture, nearBlack.data[0] === 1) }
  }
  throw new StreamError('MODEL_FAILED', `Graph \`${GRAPH_FILES.preprocess}\` gave no \`pixels\` or no \`near_black\`.`)
}

function levelsOf({ kind }: Pixels, isNearBlack: boolean): number {
  if (kind === 'picture') return PIXEL_LEVELS.picture
  return isNearBlack ? PIXEL_LEVELS.nearBlackFrame : PIXEL_LEVELS.frame
}
