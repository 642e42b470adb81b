import { positionEncoding } from '../../graph/blocks/position-encoding.js'
import { add, shapeOf, squeeze } from '../../graph/ops.js'
import type { Connector } from '../part.js'
import { condenseTokens } from './condense-tokens.js'
import { projectTokens } from './project-tokens.js'

/**
 * `naiveresampler`: all tokens of all frames get a position encoding, then `num_queries` latents look
 * over the whole of them (reference: `model/connector/naiveresampler.py`).
 *
 * ```
 * features ─ linear ─ + positions ─ perceiver(latents) ──► [num_queries, width]
 * ```
 */
export const naiveResampler: Connector = {
  build(module, features, config, width) {
    const { graph } = module
    const resampler = module.child('_connector')
    const projected = projectTokens(resampler, features, width)
    const count = squeeze(graph, shapeOf(graph, projected, 0, 1), [0])
    const positions = positionEncoding(resampler.graph.scope('position_encoding'), count, { width, dataType: projected.dataType })
    return condenseTokens(resampler, add(graph, projected, positions), config)
  },
}
