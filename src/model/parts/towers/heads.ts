import { unsupported } from '../../checkpoint/config.js'

/**
 * A tower's configuration, once its width is a multiple of its heads.
 *
 * @throws {StreamError} `CHECKPOINT_UNSUPPORTED`.
 */
export function expectWholeHeads<Config extends { readonly hidden_size: number; readonly num_attention_heads: number }>(config: Config): Config {
  if (config.hidden_size % config.num_attention_heads === 0) return config
  throw unsupported(`A vision tower of width ${config.hidden_size} with ${config.num_attention_heads} heads`)
}
