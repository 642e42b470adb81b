/** What docs/MODELS.md says of sizes is what the converter would write, computed from the published shapes without any weights. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { type TemporaryFolder, temporaryFolder } from '../../support/checkpoint-files.js'
import { writeHollowCheckpoint } from '../../support/random-checkpoint.js'
import { CLIP_LARGE, GEMMA_2B, OPENELM_450M, PHI_2, QWEN25_3B, QWEN2_HALF_B, SO400M, STABLELM_2, TINYLLAMA } from '../../support/zoo/bases.js'
import { PUBLISHED, contentOf } from '../../support/zoo/published.js'
import { countValues } from '../../support/zoo/shapes.js'
import { sizesOf } from '../../support/zoo/sizes.js'

const models = readFileSync(fileURLToPath(new URL('../../../docs/MODELS.md', import.meta.url)), 'utf8')

/** Cells of the row that names a checkpoint in the table below a heading. */
function rowOf(heading: string, repository: string): readonly string[] {
  const section = models.split(/^## /m).find((text) => text.startsWith(heading)) ?? ''
  const row = section.split('\n').find((line) => line.startsWith(`| ${repository} |`)) ?? ''
  return row.split('|').slice(2, -1).map((cell) => cell.trim())
}

describe('the shapes are those of the base models', () => {
  // Totals that their authors publish.
  test.each([
    [SO400M, 428_225_600],
    [CLIP_LARGE, 303_507_456],
    [QWEN2_HALF_B, 494_032_768],
    [QWEN25_3B, 3_085_938_688],
    [PHI_2, 2_779_683_840],
    [GEMMA_2B, 2_506_172_416],
    [TINYLLAMA, 1_100_048_384],
    [STABLELM_2, 1_644_515_328],
    [OPENELM_450M, 457_179_136],
  ])('$path', ({ full }, total) => {
    expect(countValues(full.tensors)).toBe(total)
  })
})

describe('the tables of docs/MODELS.md', () => {
  let folder: TemporaryFolder
  beforeAll(() => { folder = temporaryFolder() })
  afterAll(() => { folder.remove() })

  test.each(PUBLISHED)('$repository', async (checkpoint) => {
    const { repository, layout, tower, connector, language, sampling } = checkpoint
    const directory = folder.file(repository.replace('/', '-'))
    const content = contentOf(checkpoint, 'full')
    await writeHollowCheckpoint(directory, content)
    expect(rowOf('Published checkpoints', repository)).toEqual([tower.path, `\`${connector}\``, language.path, layout.name, sampling])
    const billions = (countValues(content.tensors) / 1e9).toFixed(2)
    expect(rowOf('Sizes', repository)).toEqual([billions, ...(await sizesOf(directory))])
  })

  test('hold nothing else', () => {
    const named = Array.from(models.matchAll(/^\| ([\w-]+\/[\w.-]+) \|/gm), ([, name]) => name)
    expect(named.sort()).toEqual([...PUBLISHED, ...PUBLISHED].map(({ repository }) => repository).sort())
  })
})
