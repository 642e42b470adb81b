/**
 * `npm run bench`: figures as ratios of two things measured in one run on one machine.
 *
 * `npm run bench -- --short` runs everything once and small: to see that nothing breaks.
 */
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'

import { benchDemoLatency } from './demo-latency.js'
import { printRows } from './measure.js'
import { benchSampling } from './sampling.js'
import { benchVisionTower } from './vision-tower.js'

const { values } = parseArgs({ options: { short: { type: 'boolean', default: false } } })
const threads = availableParallelism()
const repeats = values.short ? 1 : 5

printRows([
  await benchVisionTower({ threads, repeats, ...(values.short && { layers: 2 }) }),
  await benchSampling({ minutes: values.short ? 2 : 60, repeats: values.short ? 1 : 3 }),
  await benchDemoLatency({ repeats: repeats * 4 }),
])
