/**
 * `npm run parity:demo`: how far each precision of the demo model is from float32, on clips that it never saw.
 *
 * ```
 * npm run parity:demo -- [--clips 200] [--precision int8 --precision int4 …] [--block-size 32]
 * ```
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

import { comparisonTable } from '../../src/cli/comparison-table.js'
import { type ConvertOptions, convertCheckpoint } from '../../src/model/convert.js'
import { compareModels } from '../../src/model/verify/compare.js'
import { openStages } from '../../src/model/verify/stages.js'
import { drawnClips } from './drawn-clips.js'

/** Far from the seeds of training, of choosing a checkpoint and of `npm run eval:demo`. */
const FIRST_SEED = 9_500_000

const demo = fileURLToPath(new URL('../../models/demo', import.meta.url))

const { values } = parseArgs({
  options: {
    clips: { type: 'string', default: '200' },
    precision: { type: 'string', multiple: true, default: ['fp16', 'int8', 'int4'] },
    'block-size': { type: 'string' },
  },
})
const blockSize = values['block-size'] === undefined ? {} : { blockSize: Number(values['block-size']) }
const folder = await mkdtemp(join(tmpdir(), 'tinyllava-parity-'))
try {
  const convert = async (options: ConvertOptions): Promise<string> => {
    const out = join(folder, options.precision ?? 'fp32')
    await convertCheckpoint(demo, out, options)
    return out
  }
  const expected = await openStages(await convert({}))
  for (const precision of values.precision) {
    const options = { precision, ...(precision.startsWith('int') && blockSize) } as ConvertOptions
    const found = await openStages(await convert(options))
    const comparison = await compareModels({ found, expected }, drawnClips(FIRST_SEED, Number(values.clips)))
    process.stdout.write(`\n${precision} against fp32\n\n${comparisonTable(comparison)}`)
  }
} finally {
  await rm(folder, { recursive: true })
}
