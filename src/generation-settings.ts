import { expectInteger, expectNumber, expectText } from './checks.js'

/** How text is generated. */
export interface GenerationSettings {
  /** Most tokens of one answer. @default 512 */
  readonly maxNewTokens: number
  /** 0 is greedy; above 0 tokens are sampled. @default 0 */
  readonly temperature: number
  /** Keeps the smallest set of tokens whose probabilities add up to this. @default 1 */
  readonly topP: number
  /** Seed of the sampler; has no effect when greedy. @default 0 */
  readonly seed: number
  /** Chat template by its registered name. @default the bundle's */
  readonly template?: string
}

/**
 * Checks generation settings and fills in the defaults.
 *
 * @throws {StreamError} `SETTING_INVALID`, naming the setting.
 */
export function resolveGeneration(settings: Partial<GenerationSettings>): GenerationSettings {
  const { maxNewTokens = 512, temperature = 0, topP = 1, seed = 0, template } = settings
  return {
    maxNewTokens: expectInteger('maxNewTokens', maxNewTokens, 1),
    temperature: expectNumber('temperature', temperature, { min: 0, inclusive: true }),
    topP: expectNumber('topP', topP, { min: 0, max: 1 }),
    seed: expectInteger('seed', seed, 0),
    ...(template !== undefined && { template: expectText('template', template) }),
  }
}
