import { expectOneOf } from '../../checks.js'
import { StreamError } from '../../errors.js'
import {
  ACTIVATIONS, type Activations, PRECISIONS, type PartPrecision, type Precision, VISION_PRECISIONS, type VisionPrecision, bitsOf,
} from '../precision.js'
import { BLOCK_SIZES, type BlockSize } from '../quantise/block-format.js'

/** What can be asked for. */
export interface PrecisionOptions {
  /** Precision of the weights. @default 'fp32' */
  readonly precision?: Precision
  /** Values of a row that share a scale, in `int8` and `int4`. @default 32 for int4, 128 for int8 */
  readonly blockSize?: BlockSize
  /** What parts in `int8` and `int4` compute in: `float16` is for GPUs. @default 'float32' */
  readonly activations?: Activations
  /** Of the vision tower. @default `precision`, but `int8` where that is `int4` */
  readonly visionPrecision?: VisionPrecision
  /** Of the language model. @default `precision` */
  readonly llmPrecision?: Precision
}

/** What each part of a model is converted to. */
export interface PrecisionPlan {
  /** What envelopes show: the language model's, which holds most of the weights. */
  readonly precision: Precision
  readonly precisions: {
    readonly visionTower: PartPrecision
    readonly connector: PartPrecision
    readonly languageModel: PartPrecision
  }
}

/**
 * The connector goes with the tower, whose features it reads, and never below 8 bits: 4 cost it 4 % of the visual
 * tokens' length, 8 less than they cost the tower (docs/MODELS.md).
 */
const CONNECTOR_BY_TOWER: Readonly<Record<VisionPrecision, Precision>> = {
  fp32: 'fp32', fp16: 'fp16', int8: 'int8', int4: 'int8', 'int8-dynamic': 'int8',
}

/** Small blocks where codes are few: they cost room, and speed, for scales. */
const BLOCK_SIZE_BY_BITS: Readonly<Record<4 | 8, BlockSize>> = { 4: 32, 8: 128 }

/**
 * Decides each part's precision.
 *
 * @throws {StreamError} `SETTING_INVALID`: an unknown value, or a block size or activations for nothing.
 */
export function planPrecisions(options: PrecisionOptions): PrecisionPlan {
  const all = expectOneOf('precision', options.precision ?? 'fp32', PRECISIONS)
  const llm = expectOneOf('llmPrecision', options.llmPrecision ?? all, PRECISIONS)
  const vision = expectOneOf('visionPrecision', options.visionPrecision ?? towerDefault(all), VISION_PRECISIONS)
  const settings = checkBlockSettings(options)
  const precisions = {
    visionTower: partPrecision(vision, settings),
    connector: partPrecision(CONNECTOR_BY_TOWER[vision], settings),
    languageModel: partPrecision(llm, settings),
  }
  const [given] = Object.keys(settings)
  if (given !== undefined && Object.values(precisions).every((part) => bitsOf(part) === undefined)) {
    throw new StreamError('SETTING_INVALID', `\`${given}\` is for int8 and int4 alone, and nothing is converted to one of them.`)
  }
  return { precision: llm, precisions }
}

/** A tower's features are seen by every later stage and its weights are few: 4 bits are taken only where they are asked for. */
function towerDefault(precision: Precision): VisionPrecision {
  return precision === 'int4' ? 'int8' : precision
}

/** What was said of parts that are quantised in blocks. */
type BlockSettings = Partial<Pick<PartPrecision, 'blockSize' | 'activations'>>

function checkBlockSettings({ blockSize, activations }: PrecisionOptions): BlockSettings {
  return {
    ...(blockSize !== undefined && { blockSize: expectBlockSize(blockSize) }),
    ...(activations !== undefined && { activations: expectOneOf('activations', activations, ACTIVATIONS) }),
  }
}

function partPrecision(weights: VisionPrecision, settings: BlockSettings): PartPrecision {
  const part: PartPrecision = { weights, activations: weights === 'fp16' ? 'float16' : 'float32' }
  const bits = bitsOf(part)
  return bits === undefined ? part : { ...part, blockSize: BLOCK_SIZE_BY_BITS[bits], ...settings }
}

function expectBlockSize(value: unknown): BlockSize {
  const found = BLOCK_SIZES.find((size) => size === value)
  if (found !== undefined) return found
  throw new StreamError('SETTING_INVALID', `Expected \`blockSize\` to be ${BLOCK_SIZES.join(' or ')}, got \`${String(value)}\`.`)
}
