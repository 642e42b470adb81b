import { StreamError } from '../../../errors.js'
import type { CheckpointConfig } from '../../checkpoint/config.js'

/**
 * A field of `config.json` that a resampler can't do without.
 *
 * @throws {StreamError} `CHECKPOINT_CONFIG_INVALID` if it is missing.
 */
export function requireField(config: CheckpointConfig, field: 'num_queries' | 'group' | 'num_resampler_layers'): number {
  const value = config[field]
  if (typeof value === 'number') return value
  throw new StreamError('CHECKPOINT_CONFIG_INVALID', `config.json lacks ${field}, which connector ${config.connector_type} needs.`)
}
