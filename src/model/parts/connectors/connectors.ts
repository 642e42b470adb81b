import { createRegistry } from '../registry.js'
import type { Connector } from '../part.js'
import { groupResampler } from './group-resampler.js'
import { identity } from './identity.js'
import { linearConnector } from './linear.js'
import { mlp } from './mlp.js'
import { mofMlp } from './mof-mlp.js'
import { naiveResampler } from './naive-resampler.js'
import { qFormer } from './q-former.js'
import { resampler } from './resampler.js'

/** Connectors by the name in `connector_type`. Register your own before converting. */
export const connectors = createRegistry<Connector>('connector')
connectors.register('groupresampler', groupResampler)
connectors.register('identity', identity)
connectors.register('linear', linearConnector)
// Found by its pattern: the name is for messages.
connectors.register('mlpNx_gelu', mlp)
connectors.register('mof_mlp', mofMlp)
connectors.register('naiveresampler', naiveResampler)
connectors.register('qformer', qFormer)
connectors.register('resampler', resampler)
