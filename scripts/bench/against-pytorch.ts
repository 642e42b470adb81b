/**
 * Compares ours with the original PyTorch code on one clip: 16 random frames, 64 tokens, full-size random weights.
 *
 * ```sh
 * npx jiti scripts/bench/against-pytorch.ts --cache FOLDER --python VENV/bin/python --original CHECKOUT
 * ```
 *
 * `peers/README.md` says how the Python side is installed, and what this takes of time, memory and disk.
 */
import { parseArgs } from 'node:util'

import { randomBundle } from './bundles.js'
import { randomCheckpoint } from './checkpoint/checkpoint.js'
import { FULL_SIZE, withLayers } from './checkpoint/geometry.js'
import { runChild, runScript } from './child.js'
import { clipRows } from './clip-rows.js'
import { type ClipTimes, clipTimesSchema } from './clip-times.js'
import { printRows } from './measure.js'
import { peerScript } from './peers.js'
import { type Side, takeTurns } from './turns.js'

const { values } = parseArgs({
  options: {
    cache: { type: 'string' },
    python: { type: 'string', default: 'python3' },
    original: { type: 'string' },
    layers: { type: 'string' },
    frames: { type: 'string', default: '16' },
    tokens: { type: 'string', default: '64' },
    rounds: { type: 'string', default: '1' },
    'limit-minutes': { type: 'string', default: '30' },
  },
})
const { cache, original } = values
if (cache === undefined || original === undefined) throw new Error('Name the folders: --cache FOLDER --original CHECKOUT.')
const geometry = withLayers(FULL_SIZE, values.layers === undefined ? undefined : Number(values.layers))
const { checkpoint, hub } = await randomCheckpoint(cache, geometry)
const length = ['--frames', values.frames, '--tokens', values.tokens]
const options = () => ({ schema: clipTimesSchema, limit: AbortSignal.timeout(Number(values['limit-minutes']) * 60_000) })

const ours = (bundle: string): Side<ClipTimes> => () => runScript('clip.ts', [bundle, ...length], options())

const theirs = (...flags: readonly string[]): Side<ClipTimes> => () =>
  runChild(values.python, [peerScript('pytorch_clip.py'), '--checkpoint', checkpoint, '--hub', hub, ...length, ...flags], {
    ...options(), environment: { TINYLLAVA_VIDEO: original },
  })

const outcomes = await takeTurns({
  'ours, fp32': ours(await randomBundle(cache, geometry, 'fp32')),
  'PyTorch, fp32': theirs('--precision', 'fp32'),
  'ours, tower int8, language int4': ours(await randomBundle(cache, geometry, 'int4')),
  'PyTorch, fp32, compiled': theirs('--precision', 'fp32', '--compile'),
  'ours, tower int8-dynamic, language int4': ours(await randomBundle(cache, geometry, 'int8-dynamic')),
  'PyTorch, bf16': theirs('--precision', 'bf16'),
}, Number(values.rounds))

const side = (name: keyof typeof outcomes) => ({ name, outcome: outcomes[name] })
const threeTimes = { whole: { atLeast: 3 }, memory: { atMost: 0.5 } }
printRows([
  ...clipRows(side('ours, tower int8, language int4'), side('PyTorch, fp32'), threeTimes),
  ...clipRows(side('ours, tower int8-dynamic, language int4'), side('PyTorch, fp32'), threeTimes),
  ...clipRows(side('ours, fp32'), side('PyTorch, fp32'), { whole: { atLeast: 1 } }),
  ...clipRows(side('ours, tower int8, language int4'), side('PyTorch, bf16'), { whole: { atLeast: 1 } }),
  ...clipRows(side('ours, tower int8, language int4'), side('PyTorch, fp32, compiled')),
])
