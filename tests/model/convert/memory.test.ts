/** Converting streams: a checkpoint four times as large takes no more memory. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { afterEach, beforeEach, expect, test } from 'vitest'

import type { ConvertOptions } from '../../../src/model/convert.js'
import { type TemporaryFolder, copyCheckpoint, growCheckpoint, temporaryFolder } from '../../support/checkpoint-files.js'

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

async function peakMemory(megabytes: number, options: ConvertOptions): Promise<number> {
  const checkpoint = folder.file(`checkpoint-${megabytes}`)
  copyCheckpoint('qwen2-group-16', checkpoint)
  growCheckpoint(checkpoint, megabytes * MEGABYTE)
  const out = folder.file(`bundle-${megabytes}`)
  const args = ['--input-type=module', '-e', CONVERT, built, checkpoint, out, JSON.stringify(options)]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  expect(existsSync(out)).toBe(true)
  return Number(stdout)
}

// Quantised, the scales of one matrix are kept: of blocks of 128 a 64th of its bytes in BF16, here 9 MB more.
const settings: readonly ConvertOptions[] = [{}, { precision: 'fp16' }, { precision: 'int4', blockSize: 128 }]

test.each(settings)('%j: peak memory for 200 MB and for 800 MB of weights differs by less than 50 MB', async (options) => {
  const small = await peakMemory(200, options)
  const large = await peakMemory(800, options)
  console.info(`${JSON.stringify(options)}: ${Math.round(small / MEGABYTE)} MB and ${Math.round(large / MEGABYTE)} MB`)
  expect(Math.abs(large - small)).toBeLessThan(50 * MEGABYTE)
})
