import { expectInteger, expectOneOf } from '../../checks.js'
import { StreamError } from '../../errors.js'
import { type FrameFeatures, PIXEL_KINDS } from '../../types.js'
import { featuresAs } from '../feature-values.js'
import type { Manifest } from '../manifest.js'
import type { Pixels, VisualTokens } from '../model.js'

/**
 * Checks pictures, and gives each a buffer of its own.
 *
 * @throws {StreamError} `SETTING_INVALID` where a picture's bytes don't match its size.
 */
export function checkPictures(pictures: readonly Pixels[]): readonly Pixels[] {
  return pictures.map(({ data, width, height, kind }) => {
    if (kind !== undefined) expectOneOf('kind', kind, PIXEL_KINDS)
    const expected = expectInteger('width', width, 1) * expectInteger('height', height, 1) * 3
    if (data.length !== expected) {
      throw mismatch(`a picture of ${width} x ${height} to have ${expected} bytes`, data.length)
    }
    return { data: ownBytes(data), width, height, ...(kind !== undefined && { kind }) }
  })
}

/**
 * Checks that a clip's frames come from this model's tower, or one as wide, and gives each a buffer of its own in the type that
 * this model keeps features in.
 *
 * @throws {StreamError} `SETTING_INVALID`.
 */
export function checkFrames(
  frames: readonly FrameFeatures[],
  tower: Pick<Manifest['visionTower'], 'tokensPerFrame' | 'width' | 'features'>,
): readonly FrameFeatures[] {
  if (frames.length === 0) throw new StreamError('SETTING_INVALID', 'A clip needs at least one frame.')
  return frames.map(({ data, tokens, width }) => {
    const isShaped = tokens === tower.tokensPerFrame && width === tower.width
    if (!(data instanceof Float32Array || data instanceof Uint16Array)) {
      throw mismatch('features as a Float32Array, or as a Uint16Array of float16 bits', `a ${Object.prototype.toString.call(data).slice(8, -1)}`)
    }
    if (!isShaped || data.length !== tokens * width) {
      throw mismatch(
        `features of ${tower.tokensPerFrame} x ${tower.width} values`,
        `${data.length} values as ${tokens} x ${width}: they come from another model`,
      )
    }
    return { data: ownValues(featuresAs(tower.features, data)), tokens, width }
  })
}

/**
 * Checks that visual tokens have the language model's width, and gives them a buffer of their own.
 *
 * @throws {StreamError} `SETTING_INVALID`.
 */
export function checkVisual(visual: VisualTokens, width: number): VisualTokens {
  if (visual.width !== width || visual.data.length !== visual.tokens * width) {
    throw mismatch(`visual tokens of width ${width}`, `${visual.data.length} values as ${visual.tokens} x ${visual.width}`)
  }
  return { ...visual, data: ownValues(visual.data) }
}

// A typed array is sent to another thread with its whole buffer: one frame cut from a large read, or a
// `Buffer` from Node's pool, would take everything around it along.

function ownBytes(data: Uint8Array): Uint8Array {
  return data.byteLength === data.buffer.byteLength ? data : new Uint8Array(data)
}

function ownValues<Values extends Float32Array | Uint16Array>(data: Values): Values {
  return data.byteLength === data.buffer.byteLength ? data : (data.slice() as Values)
}

function mismatch(expected: string, found: string | number): StreamError {
  return new StreamError('SETTING_INVALID', `Expected ${expected}, got ${found}.`)
}
