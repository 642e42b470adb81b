import { StreamError } from '../../../errors.js'
import { widthOf } from '../../graph/module.js'
import type { Connector } from '../part.js'
import { tokenRows } from './project-tokens.js'

/**
 * `identity`: the tower's tokens as they are; tower and language model must be equally wide (reference:
 * TinyLLaVA_Factory `model/connector/identity.py`, which fails later where they aren't).
 */
export const identity: Connector = {
  alone: 'always',

  build({ graph }, features, _config, width) {
    const visionWidth = widthOf(features)
    if (visionWidth === width) return tokenRows(graph, features)
    throw new StreamError(
      'CHECKPOINT_CONFIG_INVALID',
      `connector_type is identity, but the vision tower is ${visionWidth} wide and the language model ${width}.`,
    )
  },
}
