import { expectInteger, expectNumber, expectText } from '../checks.js'
import type { GenerationSettings } from '../model/model.js'

/** Checks generation settings and fills in the defaults: greedy, at most 512 tokens, the bundle's template. */
export function checkGeneration(settings: Partial<GenerationSettings>): GenerationSettings {
  return {
    maxNewTokens: expectInteger('maxNewTokens', settings.maxNewTokens ?? 512, 1),
    temperature: expectNumber('temperature', settings.temperature ?? 0, { min: 0, inclusive: true }),
    topP: expectNumber('topP', settings.topP ?? 1, { min: 0, max: 1 }),
    seed: expectInteger('seed', settings.seed ?? 0, 0),
    ...(settings.template === undefined ? {} : { template: expectText('template', settings.template) }),
  }
}
