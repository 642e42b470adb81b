import { linear } from '../../graph/blocks/linear.js'
import { perceiver } from '../../graph/blocks/perceiver.js'
import { positionEncoding } from '../../graph/blocks/position-encoding.js'
import { widthOf } from '../../graph/module.js'
import { add, reshape, shapeOf, squeeze, unsqueeze } from '../../graph/ops.js'
import type { Connector } from '../part.js'
import { requireField } from './resampler-config.js'

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
    const queries = requireField(config, 'num_queries')
    const visionWidth = widthOf(features)
    const rows = reshape(graph, features, [-1, visionWidth], ['rows', visionWidth])
    const projected = linear(resampler.child('linear'), rows, width)
    const count = squeeze(graph, shapeOf(graph, projected, 0, 1), [0])
    const placed = add(graph, projected, positionEncoding(resampler.graph.scope('position_encoding'), count, { width, dataType: projected.dataType }))
    const latents = unsqueeze(graph, resampler.parameter('latents', [queries, width]), [0])
    const inputs = { media: unsqueeze(graph, placed, [0]), latents }
    const condensed = perceiver(resampler, inputs, requireField(config, 'num_resampler_layers'))
    return squeeze(graph, condensed, [0])
  },
}
