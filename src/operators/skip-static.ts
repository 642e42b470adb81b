import { z } from 'zod'

import { checkSettings } from '../settings.js'
import type { FrameFeatures, StreamInfo } from '../types.js'
import { encodeBatch } from './encode-batch.js'
import type { EncodeContext, EncodeOutcome, PendingFrame } from './encode-batch.js'
import { greatestDifference, pictureGrid } from './picture-grid.js'
import type { PictureGrid } from './picture-grid.js'

/** When a frame counts as showing what a frame before it showed. */
export interface SkipStaticOptions {
  /**
   * Most that any of 32 x 32 cells of the picture may differ from the last frame that was encoded: in its mean
   * brightness or colour, in levels of 255. Noise of 8 levels up and down makes about 2; something that fills a tenth
   * of a cell (of 640 x 360: 20 x 11 pixels) and is 40 levels brighter or darker than what was there makes 4.
   * Raise it where the ledger counts too few frames of a still scene as `static`: by night, for pictures of few pixels.
   *
   * @default 4
   */
  readonly maxDifference?: number
  /**
   * Milliseconds of media time after which a frame is encoded whatever it shows; `Infinity`: never.
   *
   * @default 60000
   */
  readonly refreshMs?: number
}

const optionsSchema = z.strictObject({
  maxDifference: z.number().min(0).max(255).default(4),
  refreshMs: z.union([z.number().positive(), z.literal(Infinity)]).default(60_000),
})

/** `SkipStaticOptions` after the check, defaults filled in. */
export type SkipStatic = z.infer<typeof optionsSchema>

/**
 * Checks the setting `skipStatic`; undefined where nothing is to be skipped.
 *
 * @throws {StreamError} `SETTING_INVALID`.
 */
export function checkSkipStatic(options: boolean | SkipStaticOptions): SkipStatic | undefined {
  if (options === false) return undefined
  return checkSettings('skipStatic', optionsSchema, options === true ? {} : options)
}

/** A frame that is handed to the tower, and stands for those after it that show the same. */
interface Reference {
  readonly stream: StreamInfo
  readonly ptsMs: number
  readonly grid: PictureGrid
  /** Once it is on its way; gives undefined where it could not be encoded. */
  features?: Promise<FrameFeatures | undefined>
}

/** A frame, and the one whose features it has: itself, if it shows something new. */
interface Match {
  readonly pending: PendingFrame
  readonly reference: Reference
  readonly isNew: boolean
}

/** Tells frames that show something new from those that don't. State of one subscription. */
export class StaticScene {
  readonly #settings: SkipStatic
  #last: Reference | undefined

  constructor(settings: SkipStatic) {
    this.#settings = settings
  }

  /**
   * Compares a frame with the last one that was *encoded*, not with the one before it, so that a slow change adds
   * up until it is seen. A new epoch begins anew.
   */
  match(pending: PendingFrame): Match {
    const { stream, ptsMs } = pending.origin
    const { maxDifference, refreshMs } = this.#settings
    const grid = gridOf(pending)
    const last = this.#last
    const isComparable = last !== undefined && isSameEpoch(last.stream, stream) && ptsMs - last.ptsMs < refreshMs
    if (isComparable && greatestDifference(last.grid, grid) <= maxDifference) return { pending, reference: last, isNew: false }
    this.#last = { stream, ptsMs, grid }
    return { pending, reference: this.#last, isNew: true }
  }

  /** Nothing is compared with this frame any more. */
  forget(reference: Reference): void {
    if (this.#last === reference) this.#last = undefined
  }
}

/** A source may describe one epoch anew, with other questions. */
function isSameEpoch(left: StreamInfo, right: StreamInfo): boolean {
  return left.id === right.id && left.epoch === right.epoch
}

function gridOf({ pixels }: PendingFrame): PictureGrid {
  if (pixels === undefined) throw new Error('A frame has lost its pixels before it was encoded.')
  return pictureGrid(pixels)
}

/**
 * Encodes the frames of a batch that show something new; each other one has the features of the frame that it
 * repeats, the same array. One outcome a frame.
 *
 * What repeats a frame that the model failed on is encoded itself.
 */
export async function encodeChanged(
  batch: readonly PendingFrame[],
  scene: StaticScene,
  context: EncodeContext,
): Promise<readonly EncodeOutcome[]> {
  const matches = batch.map((pending) => scene.match(pending))
  const changed = matches.filter(({ isNew }) => isNew)
  const encoding = changed.length === 0 ? Promise.resolve([]) : encodeBatch(changed.map(({ pending }) => pending), context)
  changed.forEach(({ reference }, place) => {
    reference.features = encoding.then((outcomes) => featuresOf(outcomes[place]), () => undefined)
  })
  const outcomes = new Map((await encoding).map((outcome) => [outcome.receipt, outcome]))
  const all: EncodeOutcome[] = []
  for (const match of matches) {
    all.push(outcomes.get(match.pending.receipt) ?? (await repeat(match, scene, context)))
  }
  return all
}

async function repeat({ pending, reference }: Match, scene: StaticScene, context: EncodeContext): Promise<EncodeOutcome> {
  const features = await reference.features
  if (features === undefined) {
    scene.forget(reference)
    const [outcome] = await encodeBatch([pending], context)
    if (outcome === undefined) throw new Error('A frame has no outcome.')
    return outcome
  }
  const { origin, receipt } = pending
  pending.pixels = undefined
  return { receipt, encoded: { ...origin, position: receipt.position, features, encodeMs: 0 }, isStatic: true }
}

function featuresOf(outcome: EncodeOutcome | undefined): FrameFeatures | undefined {
  return outcome !== undefined && 'encoded' in outcome ? outcome.encoded.features : undefined
}
