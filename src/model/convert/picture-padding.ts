import type { CheckpointConfig } from '../checkpoint/config.js'
import { StreamError } from '../../errors.js'
import type { Manifest } from '../manifest.js'
import type { PixelRules } from '../parts/part.js'

/**
 * The colour of the square that a picture which isn't square is laid on, for `image_aspect_ratio: pad`: the mean, each
 * channel cut off to a whole number (reference: TinyLLaVA_Factory's `data/image_preprocess.py`). Videos' frames never are.
 *
 * @returns Undefined where pictures aren't laid on one (`square`).
 * @throws {StreamError} `CHECKPOINT_UNSUPPORTED`: `anyres`.
 */
export function padColourOf({ image_aspect_ratio: ratio }: CheckpointConfig, { mean }: PixelRules): Manifest['visionTower']['padColour'] {
  if (ratio === 'anyres') {
    throw new StreamError(
      'CHECKPOINT_UNSUPPORTED',
      'image_aspect_ratio is anyres, which the original code can\'t run either: it cuts a picture into many, and its towers take ' +
        'one. Set it to pad or square in config.json, whichever the model was trained with.',
    )
  }
  if (ratio !== 'pad') return undefined
  const [red = 0, green = 0, blue = 0] = mean.map((value) => Math.trunc(value * 255))
  return [red, green, blue]
}
