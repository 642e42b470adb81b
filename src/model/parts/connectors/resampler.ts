import type { Connector } from '../part.js'
import { condenseTokens } from './condense-tokens.js'
import { projectTokens } from './project-tokens.js'

/**
 * `resampler`: as `naiveresampler`, without any position encoding (reference: TinyLLaVA_Factory
 * `model/connector/resampler.py`).
 *
 * ```
 * features ─ linear ─ perceiver(latents) ──► [num_queries, width]
 * ```
 *
 * The reference has one picture here. Of a clip, all frames' tokens are looked at as one sequence, as
 * TinyLLaVA-Video's resamplers do.
 */
export const resampler: Connector = {
  build(module, features, config, width) {
    const here = module.child('_connector')
    return condenseTokens(here, projectTokens(here, features, width), config)
  },
}
