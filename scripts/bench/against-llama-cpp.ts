/**
 * Compares our language model in 4 bit with llama.cpp on the same shapes (Qwen2.5-3B, random weights): prefill of 600
 * tokens, then 64 tokens one by one.
 *
 * ```sh
 * npx jiti scripts/bench/against-llama-cpp.ts --cache FOLDER --python VENV/bin/python
 * ```
 *
 * `peers/README.md` says how the Python side is installed, and what this takes of time, memory and disk.
 */
import { existsSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

import { z } from 'zod'

import { randomBundle } from './bundles.js'
import { TEXT_ONLY, withLayers } from './checkpoint/geometry.js'
import { runChild, runScript } from './child.js'
import { printRows } from './measure.js'
import { peerScript } from './peers.js'
import { lengthFlags } from './text-arguments.js'
import { textRows } from './text-rows.js'
import { type TextTimes, textTimesSchema } from './text-times.js'
import { type Side, takeTurns } from './turns.js'

const { values } = parseArgs({
  options: {
    cache: { type: 'string' },
    python: { type: 'string', default: 'python3' },
    layers: { type: 'string' },
    prompt: { type: 'string', default: '600' },
    tokens: { type: 'string', default: '64' },
    rounds: { type: 'string', default: '3' },
    threads: { type: 'string', default: String(availableParallelism()) },
  },
})
const { cache, python } = values
if (cache === undefined) throw new Error('Name a folder: --cache FOLDER.')
const geometry = withLayers(TEXT_ONLY, values.layers === undefined ? undefined : Number(values.layers))
const length = { prompt: Number(values.prompt), tokens: Number(values.tokens) }
const flags = [...lengthFlags(length), '--repeats', '1', '--threads', values.threads]

/** Folder with the quantised files of the same shapes, made now or by an earlier call. */
async function ggufFolder(parent: string): Promise<string> {
  const folder = join(parent, geometry.name, 'gguf')
  if (existsSync(folder)) return folder
  const partial = `${folder}.partial`
  const made = await runChild(python, [peerScript('random_gguf.py'), '--out', partial, '--layers', String(geometry.text.layers)], {
    schema: z.object({ files: z.array(z.string()) }),
  })
  if (made.kind !== 'done') throw new Error('The GGUF files were not made: see above.')
  await rename(partial, folder)
  return folder
}

const ours = (bundle: string): Side<TextTimes> => () => runScript('text.ts', [bundle, ...flags], { schema: textTimesSchema })
const theirs = (file: string): Side<TextTimes> => () =>
  runChild(python, [peerScript('llama_cpp_text.py'), file, ...flags], { schema: textTimesSchema })

const bundles = [await randomBundle(cache, geometry, 'int4'), await randomBundle(cache, geometry, 'int4-block-128')] as const
const gguf = await ggufFolder(cache)
const outcomes = await takeTurns({
  'ours, int4 in blocks of 32': ours(bundles[0]),
  'llama.cpp, Q4_0': theirs(join(gguf, 'q4_0.gguf')),
  'ours, int4 in blocks of 128': ours(bundles[1]),
  'llama.cpp, Q4_K_M': theirs(join(gguf, 'q4_k_m.gguf')),
}, Number(values.rounds))

const side = (name: keyof typeof outcomes) => ({ name, outcome: outcomes[name] })
const goal = { atLeast: 1 }
printRows([
  ...textRows(side('ours, int4 in blocks of 32'), side('llama.cpp, Q4_0'), length, goal),
  ...textRows(side('ours, int4 in blocks of 32'), side('llama.cpp, Q4_K_M'), length, goal),
  ...textRows(side('ours, int4 in blocks of 128'), side('llama.cpp, Q4_0'), length),
  ...textRows(side('ours, int4 in blocks of 128'), side('llama.cpp, Q4_K_M'), length),
])
