import { unsupported } from '../../checkpoint/config.js'
import type { ImageProcessorConfig } from '../../checkpoint/image-processor.js'
import type { PixelRules } from '../part.js'

// Pillow's number for bicubic, the only filter preprocess.onnx has.
const BICUBIC = 3

const FILE = 'preprocessor_config.json'

/** Steps that every tower takes: a file that leaves one out describes something we can't make. */
const STEPS = ['do_resize', 'do_center_crop', 'do_rescale', 'do_normalize'] as const

/**
 * A tower family's rules, with what `preprocessor_config.json` says instead. Where the family squeezes pictures into
 * a square so does the result; where it cuts their centre out, the file may also say that they are squeezed.
 *
 * @throws {StreamError} `CHECKPOINT_UNSUPPORTED`: another filter, a side that isn't square, a step left out.
 */
export function pixelRules(family: PixelRules, processor: ImageProcessorConfig): PixelRules {
  checkSteps(family, processor)
  const { image_mean: mean, image_std: std, rescale_factor: rescaleFactor } = processor
  const { imageSize, rescaleFactor: factor, mean: familyMean, std: familyStd } = family
  const numbers = { rescaleFactor: rescaleFactor ?? factor, mean: mean ?? familyMean, std: std ?? familyStd }
  if (family.shortestEdge === undefined) return { ...numbers, imageSize: squareOf(processor.size) ?? imageSize }
  return { ...numbers, ...cropOf({ ...family, shortestEdge: family.shortestEdge }, processor) }
}

function checkSteps({ shortestEdge }: PixelRules, processor: ImageProcessorConfig): void {
  const { resample = BICUBIC } = processor
  if (resample !== BICUBIC) throw unsupported(`resample ${resample} in ${FILE}`)
  // A family without a crop has no such step.
  const left = STEPS.find((step) => processor[step] === false && (step !== 'do_center_crop' || shortestEdge !== undefined))
  if (left !== undefined) throw unsupported(`${left} false in ${FILE}`)
}

/** The square that is cut out of a resized picture's centre. */
function cropOf(
  family: Required<Pick<PixelRules, 'imageSize' | 'shortestEdge'>>,
  { size, crop_size: crop }: ImageProcessorConfig,
): Pick<PixelRules, 'imageSize' | 'shortestEdge'> {
  const imageSize = squareOf(crop) ?? family.imageSize
  const shortestEdge = typeof size === 'object' ? size.shortest_edge : size
  if (shortestEdge !== undefined) return { imageSize, shortestEdge }
  const square = squareOf(size)
  if (square === undefined) return { imageSize, shortestEdge: family.shortestEdge }
  if (square === imageSize) return { imageSize }
  throw unsupported(`A size of ${square} x ${square} with a crop of ${imageSize} in ${FILE}`)
}

function squareOf(size: ImageProcessorConfig['size']): number | undefined {
  if (typeof size !== 'object') return size
  const { height, width, shortest_edge: shortestEdge } = size
  if (height !== undefined && height === width && shortestEdge === undefined) return height
  throw unsupported(`A picture size of ${JSON.stringify(size)} in ${FILE}`)
}

/**
 * `pixelRules` for a tower whose learned positions fit one size only, which `family` names.
 *
 * @throws {StreamError} `CHECKPOINT_UNSUPPORTED`, also where the file names another size.
 */
export function fixedPixelRules(family: PixelRules, processor: ImageProcessorConfig): PixelRules {
  const rules = pixelRules(family, processor)
  if (rules.imageSize === family.imageSize) return rules
  throw unsupported(`A picture size of ${rules.imageSize} in ${FILE} that differs from vision_config.image_size (${family.imageSize})`)
}
