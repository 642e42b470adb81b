import { expectInteger, expectNumber, expectText } from '../../checks.js'
import type { GenerationSettings } from '../model.js'

/** What a call that says nothing gets. */
export const DEFAULT_SETTINGS = { maxNewTokens: 512, temperature: 0, topP: 1, seed: 0 } as const

/**
 * Fills in what a call left out and checks the rest.
 *
 * @throws {StreamError} `SETTING_INVALID`, naming the setting.
 */
export function resolveSettings(settings: Partial<GenerationSettings>): GenerationSettings {
  const { maxNewTokens, temperature, topP, seed, template } = settings
  return {
    maxNewTokens: expectInteger('maxNewTokens', maxNewTokens ?? DEFAULT_SETTINGS.maxNewTokens, 1),
    temperature: expectNumber('temperature', temperature ?? DEFAULT_SETTINGS.temperature, { min: 0, inclusive: true }),
    topP: expectNumber('topP', topP ?? DEFAULT_SETTINGS.topP, { min: 0, max: 1 }),
    seed: expectInteger('seed', seed ?? DEFAULT_SETTINGS.seed, 0),
    ...(template === undefined ? {} : { template: expectText('template', template) }),
  }
}
