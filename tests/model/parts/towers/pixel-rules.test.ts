import { describe, expect, test } from 'vitest'

import { fixedPixelRules, pixelRules } from '../../../../src/model/parts/towers/pixel-rules.js'

const numbers = { rescaleFactor: 1 / 255, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] }
const squeezed = { imageSize: 30, ...numbers }
const cropped = { imageSize: 30, shortestEdge: 30, ...numbers }

describe('a tower that squeezes pictures into a square', () => {
  test.each([
    ['nothing', {}, 30],
    ['a number', { size: 40 }, 40],
    ['height and width', { size: { height: 40, width: 40 } }, 40],
    // It has no crop, whatever the file says of one.
    ['no crop', { do_center_crop: false }, 30],
  ])('takes its size from a file that says %s', (_, processor, imageSize) => {
    expect(pixelRules(squeezed, processor)).toEqual({ ...squeezed, imageSize })
  })

  test('takes the numbers of the file', () => {
    const processor = { image_mean: [1, 2, 3], image_std: [4, 5, 6], rescale_factor: 0.5 }
    expect(pixelRules(squeezed, processor)).toEqual({ imageSize: 30, rescaleFactor: 0.5, mean: [1, 2, 3], std: [4, 5, 6] })
  })

  test('refuses a shortest edge', () => {
    expect(() => pixelRules(squeezed, { size: { shortest_edge: 40 } })).toThrow(unsupported(/shortest_edge/))
  })
})

describe('a tower that cuts the middle out', () => {
  test.each([
    ['nothing', {}, { imageSize: 30, shortestEdge: 30 }],
    ['numbers', { size: 40, crop_size: 36 }, { imageSize: 36, shortestEdge: 40 }],
    ['a shortest edge', { size: { shortest_edge: 40 } }, { imageSize: 30, shortestEdge: 40 }],
    ['a crop', { crop_size: { height: 20, width: 20 } }, { imageSize: 20, shortestEdge: 30 }],
    ['that pictures are squeezed', { size: { height: 20, width: 20 }, crop_size: 20 }, { imageSize: 20 }],
  ])('takes both sizes from a file that says %s', (_, processor, sizes) => {
    expect(pixelRules(cropped, processor)).toEqual({ ...numbers, ...sizes })
  })

  test.each([
    ['no crop', { do_center_crop: false }, /do_center_crop/],
    ['a crop that isn\'t square', { crop_size: { height: 20, width: 30 } }, /20.*30/],
    ['a size that isn\'t square', { size: { height: 20, width: 30 } }, /20.*30/],
    ['a square that is then cut', { size: { height: 40, width: 40 } }, /40 x 40.*30/],
  ])('refuses a file that says %s', (_, processor, message) => {
    expect(() => pixelRules(cropped, processor)).toThrow(unsupported(message))
  })
})

describe('any tower', () => {
  test.each([
    ['another filter', { resample: 2 }, /resample 2/],
    ['no resizing', { do_resize: false }, /do_resize/],
    ['no rescaling', { do_rescale: false }, /do_rescale/],
    ['no normalising', { do_normalize: false }, /do_normalize/],
  ])('refuses a file that says %s', (_, processor, message) => {
    expect(() => pixelRules(squeezed, processor)).toThrow(unsupported(message))
  })

  test('with learned positions for one size refuses another', () => {
    expect(fixedPixelRules(cropped, { size: 40 })).toMatchObject({ imageSize: 30, shortestEdge: 40 })
    expect(() => fixedPixelRules(cropped, { crop_size: 28 })).toThrow(unsupported(/28.*vision_config\.image_size \(30\)/))
  })
})

function unsupported(message: RegExp): unknown {
  return expect.objectContaining({ code: 'CHECKPOINT_UNSUPPORTED', message: expect.stringMatching(message) as unknown })
}
