/** Converting streams: a checkpoint several times as large takes no more memory. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { afterEach, beforeEach, expect, test } from 'vitest'

import type { ConvertOptions } from '../../../src/model/convert.js'
import { type TemporaryFolder, copyCheckpoint, growCheckpoint, temporaryFolder } from '../../support/checkpoint-files.js'
import { growLora, growPickled } from '../../support/grown-checkpoints.js'

const MEGABYTE = 1e6
const built = fileURLToPath(new URL('../../../dist/model/convert.js', import.meta.url))

// A process of its own, because the peak of this one is already there.
const CONVERT = `
const { convertCheckpoint } = await import(process.argv[1])
await convertCheckpoint(process.argv[2], process.argv[3], JSON.parse(process.argv[4]))
process.stdout.write(String(process.resourceUsage().maxRSS * 1024))
`

let folder: TemporaryFolder
beforeEach(() => { folder = temporaryFolder() })
afterEach(() => { folder.remove() })

interface Growing {
  readonly caseName: string
  readonly options: ConvertOptions
  readonly grow: (checkpoint: string) => void | Promise<void>
}

async function peakMemory(name: string, { caseName, options, grow }: Growing): Promise<number> {
  const [checkpoint, out] = [folder.file(`checkpoint-${name}`), folder.file(`bundle-${name}`)]
  copyCheckpoint(caseName, checkpoint)
  await grow(checkpoint)
  const args = ['--input-type=module', '-e', CONVERT, built, checkpoint, out, JSON.stringify(options)]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  expect(existsSync(out)).toBe(true)
  return Number(stdout)
}

function expectAlike(what: string, small: number, large: number): void {
  console.info(`${what}: ${Math.round(small / MEGABYTE)} MB and ${Math.round(large / MEGABYTE)} MB`)
  expect(Math.abs(large - small)).toBeLessThan(50 * MEGABYTE)
}

// Quantised, the scales of one matrix are kept: of blocks of 128 a 64th of its bytes in BF16, here 9 MB more.
const settings: readonly ConvertOptions[] = [{}, { precision: 'fp16' }, { precision: 'int4', blockSize: 128 }]

test.each(settings)('%j: peak memory for 200 MB and for 800 MB of weights differs by less than 50 MB', async (options) => {
  const peak = (megabytes: number): Promise<number> =>
    peakMemory(String(megabytes), { caseName: 'qwen2-group-16', options, grow: (checkpoint) => { growCheckpoint(checkpoint, megabytes * MEGABYTE) } })
  expectAlike(JSON.stringify(options), await peak(200), await peak(800))
})

test('pickled shards: peak memory for one of 100 MB and one of 300 MB differs by less than 50 MB', async () => {
  const peak = (megabytes: number): Promise<number> => peakMemory(String(megabytes), {
    caseName: 'qwen2-group-16',
    options: { precision: 'fp16' },
    grow: (checkpoint) => { growPickled(checkpoint, megabytes * MEGABYTE) },
  })
  expectAlike('pickled', await peak(100), await peak(300))
})

// An adapter of rank 4096 takes 9 MB a layer here, of which 3 MB are of one matrix.
test('LoRA: peak memory for 35 MB and for 210 MB of adapters differs by less than 50 MB', async () => {
  const peak = (layers: number): Promise<number> => peakMemory(String(layers), {
    caseName: 'checkpoint-lora',
    options: { precision: 'fp16' },
    grow: (checkpoint) => growLora(checkpoint, { layers, rank: 4096 }),
  })
  expectAlike('LoRA', await peak(4), await peak(24))
})
