import { linear } from '../../graph/blocks/linear.js'
import type { GraphBuilder } from '../../graph/builder.js'
import { type Module, widthOf } from '../../graph/module.js'
import { reshape } from '../../graph/ops.js'
import type { Value } from '../../graph/value.js'

/** All tokens of all frames, one after another: `[frames, tokens, visionWidth]` to `[frames * tokens, visionWidth]`. */
export function tokenRows(graph: GraphBuilder, features: Value): Value {
  const visionWidth = widthOf(features)
  return reshape(graph, features, [-1, visionWidth], ['rows', visionWidth])
}

/** All tokens of all frames, as wide as the language model: a resampler's `linear`. @returns `[rows, width]`. */
export function projectTokens(resampler: Module, features: Value, width: number): Value {
  return linear(resampler.child('linear'), tokenRows(resampler.graph, features), width)
}
