import { StreamError } from '../../../errors.js'
import type { CheckpointConfig } from '../../checkpoint/config.js'
import { perceiver } from '../../graph/blocks/perceiver.js'
import { positionEncoding } from '../../graph/blocks/position-encoding.js'
import type { GraphBuilder } from '../../graph/builder.js'
import { type Module, widthOf } from '../../graph/module.js'
import {
  add, cast, concat, divide, expand, float32, gather, int64, isLess, maximum, minimum, modulo, multiply, range, reshape, shapeOf,
  squeeze, subtract, unsqueeze, where,
} from '../../graph/ops.js'
import type { Value } from '../../graph/value.js'
import type { Connector } from '../part.js'
import { projectTokens } from './project-tokens.js'
import { requireField } from './resampler-config.js'

// Far below any score, and within float16.
const MASKED = -3e4

/**
 * `groupresampler`: the clip's tokens are split along time into `group` parts, each condensed into
 * `int(num_queries / group)` tokens by one shared perceiver; the joined tokens then get a position
 * encoding (reference: `model/connector/groupresampler.py`).
 *
 * ```
 * features ─ linear ─ split in parts ─ perceiver(latents, for each part) ─ join ─ + positions ──► [visual, width]
 * ```
 *
 * All parts run as one batch. Where the tokens can't be split evenly the first parts get one more,
 * and the shorter ones are padded behind a mask.
 */
export const groupResampler: Connector = {
  build(module, features, config, width) {
    const { graph } = module
    const resampler = module.child('_connector')
    const { group, queries } = groupGeometry(config)
    const projected = projectTokens(resampler, features, width)
    const { indices, isToken } = splitInParts(graph.scope('split'), projected, group)
    const shared = unsqueeze(graph, resampler.parameter('latents', [queries, width]), [0])
    const latents = expand(graph, shared, int64(graph, [group, 1, 1]), [group, queries, width])
    const bias = cast(graph, paddingBias(graph.scope('split'), isToken, queries), latents.dataType)
    const inputs = { media: gather(graph, projected, indices), latents, bias }
    const condensed = perceiver(resampler, inputs, requireField(config, 'num_resampler_layers'))
    return withPositions(resampler, reshape(graph, condensed, [-1, width], [group * queries, width]), config)
  },

  // A clip of as many frames as parts: each part is a frame.
  alone: {
    frames: (config) => groupGeometry(config).group,

    condense(module, features, config, width) {
      const { graph } = module
      const resampler = module.child('_connector')
      const { queries } = groupGeometry(config)
      const media = unsqueeze(graph, projectTokens(resampler, features, width), [0])
      const latents = unsqueeze(graph, resampler.parameter('latents', [queries, width]), [0])
      return squeeze(graph, perceiver(resampler, { media, latents }, requireField(config, 'num_resampler_layers')), [0])
    },

    join: (module, frameTokens, config) => withPositions(module.child('_connector'), frameTokens, config),
  },
}

function withPositions(resampler: Module, tokens: Value, config: CheckpointConfig): Value {
  const { graph } = resampler
  const { group, queries } = groupGeometry(config)
  const count = int64(graph, group * queries)
  const type = { width: widthOf(tokens), dataType: tokens.dataType }
  return add(graph, tokens, positionEncoding(graph.scope('position_encoding'), count, type))
}

function groupGeometry(config: CheckpointConfig): { group: number; queries: number } {
  const group = requireField(config, 'group')
  const queries = Math.floor(requireField(config, 'num_queries') / group)
  if (queries >= 1) return { group, queries }
  throw new StreamError('CHECKPOINT_CONFIG_INVALID', `num_queries is smaller than group (${group}): no query is left for a part.`)
}

/**
 * Where each part's tokens lie: part `p` of `length` tokens begins at `p * base + min(p, rest)`,
 * with `base = floor(length / group)` and `rest = length mod group`.
 *
 * @returns `indices` int64 and `isToken` bool, both `[group, longest]`; padding points at some token.
 */
function splitInParts(graph: GraphBuilder, tokens: Value, group: number): { indices: Value; isToken: Value } {
  const length = squeeze(graph, shapeOf(graph, tokens, 0, 1), [0])
  const groups = int64(graph, group)
  const base = divide(graph, length, groups)
  const rest = modulo(graph, length, groups)
  const longest = add(graph, base, minimum(graph, rest, int64(graph, 1)))
  const part = unsqueeze(graph, int64(graph, Array.from({ length: group }, (_, index) => index)), [1])
  const start = add(graph, multiply(graph, part, base), minimum(graph, part, rest))
  const partLength = add(graph, base, cast(graph, isLess(graph, part, rest), 'int64'))
  const offset = unsqueeze(graph, range(graph, longest, 'longest'), [0])
  const isToken = isLess(graph, offset, partLength)
  const lastOfAll = subtract(graph, length, int64(graph, 1))
  const within = maximum(graph, minimum(graph, offset, subtract(graph, partLength, int64(graph, 1))), int64(graph, 0))
  return { indices: minimum(graph, add(graph, start, within), lastOfAll), isToken }
}

/** `[group, 1, queries, longest + queries]`: 0 for tokens and latents, very low for padding. */
function paddingBias(graph: GraphBuilder, isToken: Value, queries: number): Value {
  const group = Number(isToken.shape[0])
  const media = where(graph, isToken, float32(graph, 0), float32(graph, MASKED))
  const latents = float32(graph, new Float32Array(group * queries), [group, queries])
  const row = unsqueeze(graph, concat(graph, [media, latents], 1, 'context'), [1, 2])
  return expand(graph, row, int64(graph, [1, 1, queries, 1]), [group, 1, queries, 'context'])
}
