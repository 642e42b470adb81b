import { linear } from '../../graph/blocks/linear.js'
import type { Connector } from '../part.js'
import { tokenRows } from './project-tokens.js'

/** `linear`: one linear layer on each token (reference: TinyLLaVA_Factory `model/connector/linear.py`). */
export const linearConnector: Connector = {
  alone: 'always',
  build: (module, features, _config, width) => linear(module.child('_connector'), tokenRows(module.graph, features), width),
}
