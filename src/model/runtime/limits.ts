import { expectInteger, expectNumber } from '../../checks.js'
import { StreamError } from '../../errors.js'
import { CPU, type Device } from '../device/device.js'

/** How much a model does at once, and how long it stays at one thing. */
export interface RuntimeLimits {
  /** Most answers that gain tokens side by side; each takes memory for its keys and values. @default 8 */
  readonly maxAnswers: number
  /** How long answers go on before a prompt or a picture has its turn, and the other way round, in milliseconds. @default 50 */
  readonly maxBurstMs: number
  /** Most positions of a prompt in one run: what an answer under way may have to wait for. @default 64; 512 on a GPU */
  readonly prefillChunk: number
  /**
   * Memory for beginnings of prompts that may come again (clips, the template's text), in MiB; 0 keeps none. One clip of
   * 512 visual tokens takes about 40 of Qwen2.5-3B, and 340 of Phi-2, whose heads share no keys.
   *
   * @default 512
   */
  readonly prefixCacheMb: number
  /** Most pictures, of all streams, in one run of the vision tower. @default 1, as batches gain nothing there; 16 on a GPU */
  readonly maxVisionBatch: number
  /** How long a picture waits for others to share its run, in milliseconds. @default 5 */
  readonly maxVisionWaitMs: number
}

/** Where runs are short and gain from being large. */
const GPU_DEFAULTS = { prefillChunk: 512, maxVisionBatch: 16 }
const CPU_DEFAULTS = { prefillChunk: 64, maxVisionBatch: 1 }

const NAMES: ReadonlySet<string> = new Set<keyof RuntimeLimits>([
  'maxAnswers', 'maxBurstMs', 'prefillChunk', 'prefixCacheMb', 'maxVisionBatch', 'maxVisionWaitMs',
])

/**
 * Checks limits and fills in what was left out.
 *
 * @param device What the model runs on: it may want smaller chunks than were asked for.
 * @throws {StreamError} `SETTING_INVALID`.
 */
export function planLimits(limits: Partial<RuntimeLimits> = {}, device: Device = CPU): RuntimeLimits {
  const unknown = Object.keys(limits).find((name) => !NAMES.has(name))
  if (unknown !== undefined) throw new StreamError('SETTING_INVALID', `There is no limit \`${unknown}\`: there are ${[...NAMES].join(', ')}.`)
  const defaults = device.kind === 'cpu' ? CPU_DEFAULTS : GPU_DEFAULTS
  const prefillChunk = expectInteger('prefillChunk', limits.prefillChunk ?? defaults.prefillChunk, 1)
  return {
    maxAnswers: expectInteger('maxAnswers', limits.maxAnswers ?? 8, 1, 256),
    maxBurstMs: expectNumber('maxBurstMs', limits.maxBurstMs ?? 50, { min: 0, inclusive: true }),
    prefillChunk: Math.min(prefillChunk, device.maxPrefillChunk ?? Infinity),
    prefixCacheMb: expectNumber('prefixCacheMb', limits.prefixCacheMb ?? 512, { min: 0, inclusive: true }),
    maxVisionBatch: expectInteger('maxVisionBatch', limits.maxVisionBatch ?? defaults.maxVisionBatch, 1, 1024),
    maxVisionWaitMs: expectNumber('maxVisionWaitMs', limits.maxVisionWaitMs ?? 5, { min: 0, max: 60_000, inclusive: true }),
  }
}
