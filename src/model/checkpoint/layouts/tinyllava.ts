import { readModelTensors } from '../weight-files.js'
import type { CheckpointLayout } from './layout.js'

/**
 * A whole checkpoint as TinyLLaVA Factory saves it (recipes `common` and `share`), also as it is on the hub with
 * `auto_map`: the code that names is neither read nor run.
 */
export const tinyllava: CheckpointLayout = {
  detect: () => true,
  describe: ({ config }) => ({ config }),
  tensors: ({ path }) => readModelTensors(path),
  ownName: (name) => ({ name }),
  fields: 'connector_type and the model types',
}
