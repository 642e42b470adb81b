import { PIXEL_LEVELS } from '../../src/model/manifest.js'
import type { Manifest } from '../../src/model/manifest.js'
import type { ReferenceCase } from './cases.js'
import { goldenTensor } from './golden.js'
import { framesOf } from './pictures.js'

/** Mean and standard deviation of each channel, by tower, as the goldens' image processors have them. */
const NUMBERS: Readonly<Record<string, { readonly mean: readonly number[]; readonly std: readonly number[] }>> = {
  siglip: { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
  clip: { mean: [0.48145466, 0.4578275, 0.40821073], std: [0.26862954, 0.26130258, 0.27577711] },
  mof: { mean: [0.48145466, 0.4578275, 0.40821073], std: [0.26862954, 0.26130258, 0.27577711] },
  dinov2: { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
}

/** Whether the frame's largest value is 1 or less. */
export const isDark = ({ golden }: ReferenceCase, index: number): boolean => (golden.darkFrames[index] ?? 255) <= 1

/** How the tower is to see each frame's levels. */
export function goldenLevels(reference: ReferenceCase): readonly number[] {
  return framesOf(reference).map(({ kind }, index) => {
    if (kind === 'picture') return PIXEL_LEVELS.picture
    return isDark(reference, index) ? PIXEL_LEVELS.nearBlackFrame : PIXEL_LEVELS.frame
  })
}

/** The golden's normalised pixels, back as the uint8 they were made from, `[frames][size * size * 3]`. */
export function goldenPixels(reference: ReferenceCase, { name }: Manifest['visionTower']): readonly number[][] {
  const { data, shape: [, , size = 0] } = goldenTensor(reference.tensors, 'pixel_values')
  const numbers = NUMBERS[name]
  if (numbers === undefined) throw new Error(`How ${name} normalises is not known to the tests.`)
  return goldenLevels(reference).map((levels, frame) => {
    const factor = levels === PIXEL_LEVELS.nearBlackFrame ? 1 : 255
    return Array.from({ length: size * size * 3 }, (__, at) => {
      const [pixel, channel] = [Math.floor(at / 3), at % 3]
      const value = data[(frame * 3 + channel) * size * size + pixel] ?? NaN
      return Math.round((value * (numbers.std[channel] ?? NaN) + (numbers.mean[channel] ?? NaN)) * factor)
    })
  })
}
