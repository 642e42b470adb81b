import { createRegistry } from '../registry.js'
import type { Connector } from '../part.js'
import { groupResampler } from './group-resampler.js'
import { naiveResampler } from './naive-resampler.js'

/** Connectors by the name in `connector_type`. Register your own before converting. */
export const connectors = createRegistry<Connector>('connector')
connectors.register('groupresampler', groupResampler)
connectors.register('naiveresampler', naiveResampler)
