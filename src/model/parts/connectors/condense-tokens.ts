import type { CheckpointConfig } from '../../checkpoint/config.js'
import { perceiver } from '../../graph/blocks/perceiver.js'
import { type Module, widthOf } from '../../graph/module.js'
import { squeeze, unsqueeze } from '../../graph/ops.js'
import type { Value } from '../../graph/value.js'
import { requireField } from './resampler-config.js'

/**
 * Lets `num_queries` latents look over all tokens at once.
 *
 * @param tokens `[rows, width]`: of the whole clip.
 * @returns `[num_queries, width]`.
 * @throws {StreamError} `CHECKPOINT_CONFIG_INVALID`.
 */
export function condenseTokens(resampler: Module, tokens: Value, config: CheckpointConfig): Value {
  const { graph } = resampler
  const queries = requireField(config, 'num_queries')
  const latents = unsqueeze(graph, resampler.parameter('latents', [queries, widthOf(tokens)]), [0])
  const inputs = { media: unsqueeze(graph, tokens, [0]), latents }
  return squeeze(graph, perceiver(resampler, inputs, requireField(config, 'num_resampler_layers')), [0])
}
