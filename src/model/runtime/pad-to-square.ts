import { StreamError } from '../../errors.js'
import type { Pixels } from '../model.js'

const CHANNELS = 3

// A square of this side has as many pixels as a picture may have: a file of a few bytes must not claim more.
const LONGEST_SIDE = 8192

/**
 * Lays a picture on the middle of a square of one colour, as long as its longest side (reference: `expand2square` in
 * TinyLLaVA_Factory's `data/image_preprocess.py`). An odd row or column more comes after it.
 *
 * @param colour Red, green and blue.
 * @returns The picture itself where it is square.
 * @throws {StreamError} `FRAME_TOO_LARGE`.
 */
export function padToSquare(picture: Pixels, colour: readonly number[]): Pixels {
  const { data, width, height } = picture
  if (width === height) return picture
  const side = Math.max(width, height)
  if (side > LONGEST_SIDE) throw tooLong(picture)
  const [left, top] = [Math.floor((side - width) / 2), Math.floor((side - height) / 2)]
  const square = oneColour(side, colour)
  for (let row = 0; row < height; row += 1) {
    square.set(data.subarray(row * width * CHANNELS, (row + 1) * width * CHANNELS), ((top + row) * side + left) * CHANNELS)
  }
  return { ...picture, data: square, width: side, height: side }
}

function oneColour(side: number, colour: readonly number[]): Uint8Array {
  const square = new Uint8Array(side * side * CHANNELS)
  square.set(colour)
  for (let done = CHANNELS; done < square.length; done *= 2) square.copyWithin(done, 0, done)
  return square
}

function tooLong({ width, height }: Pixels): StreamError {
  const advice = `This model lays pictures on a square of their longest side, which may have ${LONGEST_SIDE} pixels. Send a smaller one.`
  return new StreamError('FRAME_TOO_LARGE', `A picture of ${width} x ${height} pixels is too long. ${advice}`)
}
