/**
 * Makes the checkpoints of random weights that the comparisons run on, in the original layout: SigLIP so400m-384,
 * a group resampler of 16 groups and 512 queries, Qwen2.5-3B. Speed doesn't depend on the values of weights.
 *
 * ```sh
 * npx jiti scripts/bench/full-size.ts --cache FOLDER              # 7.2 GB
 * npx jiti scripts/bench/full-size.ts --cache FOLDER --layers 2   # as wide, less deep
 * ```
 *
 * One that is there already is used again. Prints its folders as JSON.
 */
import { parseArgs } from 'node:util'

import { randomCheckpoint } from './checkpoint/checkpoint.js'
import { FULL_SIZE, withLayers } from './checkpoint/geometry.js'

const { values } = parseArgs({ options: { cache: { type: 'string' }, layers: { type: 'string' } } })
if (values.cache === undefined) throw new Error('Name a folder: --cache FOLDER.')
const geometry = withLayers(FULL_SIZE, values.layers === undefined ? undefined : Number(values.layers))
process.stdout.write(`${JSON.stringify(await randomCheckpoint(values.cache, geometry))}\n`)
