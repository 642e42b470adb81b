import { StreamError } from '../../../errors.js'
import { widthOf } from '../../graph/module.js'
import { concat, reshape, splitLast, unsqueeze } from '../../graph/ops.js'
import type { Connector } from '../part.js'
import { linearStack } from './mlp.js'
import { tokenRows } from './project-tokens.js'

/**
 * `mof_mlp`, for the mixture of features of two towers (Tong et al. 2024): each tower's tokens go through an MLP of
 * their own, and then lie side by side, CLIP's first (reference: TinyLLaVA_Factory `model/connector/mof_mlp.py`).
 *
 * ```
 * features ─ Split ─┬ clip: linear ─ GELU ─ linear ───┬ interleave ──► [frames * tokens * 2, width]
 *                   └ dinov2: linear ─ GELU ─ linear ─┘
 * ```
 *
 * Features are as wide as both towers together, CLIP's first.
 */
export const mofMlp: Connector = {
  alone: 'always',

  build(module, features, _config, width) {
    const { graph } = module
    const both = widthOf(features)
    if (both % 2 !== 0) throw new StreamError('CHECKPOINT_CONFIG_INVALID', `connector_type is mof_mlp, but ${both} values a token are no two towers'.`)
    const towers = splitLast(graph, tokenRows(graph, features), [both / 2, both / 2])
    const columns = ['clip', 'dinov2'].map((name, place) => {
      const tokens = towers[place]
      if (tokens === undefined) throw new Error('unreachable')
      return unsqueeze(graph, linearStack(module.child(`_connector.${name}`), tokens, { width, layers: 2 }), [1])
    })
    return reshape(graph, concat(graph, columns, 1, 2), [-1, width], ['visual', width])
  },
}
