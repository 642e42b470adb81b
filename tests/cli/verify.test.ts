import { appendFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { copyCheckpoint, editWeights } from '../support/checkpoint-files.js'
import { runCli } from './spawn-cli.js'
import type { CliEnd } from './spawn-cli.js'

const checkpoint = fileURLToPath(new URL('../reference/cases/qwen2-group-16/checkpoint', import.meta.url))
const clip = fileURLToPath(new URL('../media/bunny.mp4', import.meta.url))

let folder: string
let bundle: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'verify-'))
  bundle = join(folder, 'int8')
  await runCli(['convert', checkpoint, '--out', bundle, '--precision', 'int8'])
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const compare = (...args: readonly string[]): Promise<CliEnd> =>
  runCli(['verify', bundle, '--against', checkpoint, '--clip', clip, '--question', 'What happens?', '--max-new-tokens', '4', ...args])

describe('verify', () => {
  test('says that a bundle is whole', async () => {
    expect(await runCli(['verify', bundle])).toEqual({
      status: 0, stdout: `${bundle}: every file is as \`convert\` wrote it\n`, stderr: '',
    })
  })

  test('compares it with its checkpoint, and prints a table; which answers differ is on stderr', async () => {
    const { status, stdout, stderr } = await compare('--verbose')
    expect(status).toBe(0)
    expect(stdout).toMatch(/^\| what \| found \|\n\| --- \| --- \|\n\| compared \| clips: 1, questions: 1 \|\n/)
    expect(stdout).toMatch(/\| whole answer is the same \| [01] of 1, .* % \(95 % interval .*\) \|\n$/)
    expect(stderr).toMatch(/(same|differs): What happens\?/)
  })

  test('prints JSON where it is wanted', async () => {
    const { status, stdout } = await compare('--json', '--frames', '3')
    expect(status).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ clips: 1, pairs: 1, stages: { features: { worstCosine: expect.any(Number) as unknown } } })
  })

  test('fails where fewer answers are the same than were asked for', async () => {
    const other = join(folder, 'other')
    copyCheckpoint('qwen2-group-16', other)
    // Every logit changes its sign: the likeliest token becomes the least likely.
    editWeights(other, ({ header, data }) => {
      const [from = 0, to = 0] = header['language_model.model.norm.weight']?.data_offsets ?? []
      for (let at = from; at < to; at += 4) data.writeFloatLE(-data.readFloatLE(at), at)
    })
    const args = ['verify', bundle, '--against', other, '--clip', clip, '--question', 'What happens?', '--max-new-tokens', '4']
    const end = await runCli([...args, '--min-same', '50'])
    expect(end.status).toBe(1)
    expect(end.stdout).toContain('| whole answer is the same | 0 of 1, 0.0 %')
    expect(end.stderr).toContain('VERIFY_DIFFERS: 0 of 1 answers are the same, 50 % were asked for.')
  })

  test('a bundle that was changed is not compared at all', async () => {
    const changed = join(folder, 'changed')
    await runCli(['convert', checkpoint, '--out', changed])
    appendFileSync(join(changed, 'vocab.json'), '\n')
    expect(await runCli(['verify', changed])).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining('BUNDLE_DAMAGED') as unknown })
  })

  test.each([
    [['verify'], 'missing required argument'],
    [['verify', 'x', '--min-same', '101'], 'from 0 to 100'],
    [['verify', 'x', '--frames', '0'], 'from 1 to 512'],
    [['verify', 'x', '--question', ' '], 'empty'],
  ])('%j is one line about the mistake', async (args, message) => {
    expect(await runCli(args)).toMatchObject({ status: 2, stderr: expect.stringContaining(message) as unknown })
  })
})
