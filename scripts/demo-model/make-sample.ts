/**
 * Writes one scene as a clip of the given size, and prints what it shows.
 *
 * ```
 * npx jiti make-sample.ts --seed 7 --width 320 --height 180 --out two-shapes.mp4
 * ```
 */
import { parseArgs } from 'node:util'
import { encodeScene } from './encode.js'
import { describe } from './questions.js'
import { createScene } from './scene.js'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '7' },
    width: { type: 'string', default: '320' },
    height: { type: 'string', default: '180' },
    out: { type: 'string' },
  },
})
if (values.out === undefined) throw new Error('Say where to write: --out FILE.mp4.')

const scene = createScene(Number(values.seed), { frame: { width: Number(values.width), height: Number(values.height) } })
await encodeScene(values.out, scene)
console.log(describe(scene))
