import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect, onTestFinished, test } from 'vitest'

import type { EvalSample } from '../../src/eval/benchmark.js'
import { Questioning } from '../../src/eval/questioning.js'
import { ResultsFile, type ResultsHeader } from '../../src/eval/results-file.js'
import { createInstantModel } from '../operators/fakes.js'

const header: ResultsHeader = {
  ...{ kind: 'evaluation', version: 1, benchmark: 'mvbench', model: { name: 'small', digest: 'd'.repeat(64) } },
  ...{ data: 'a'.repeat(64), frames: '16', maxNewTokens: 1024, template: 'phi' },
}

async function emptyResults(): Promise<ResultsFile> {
  const folder = mkdtempSync(join(tmpdir(), 'eval-questioning-'))
  const results = await ResultsFile.open(join(folder, 'results.jsonl'), { header, resume: false })
  onTestFinished(async () => {
    await results.close()
    rmSync(folder, { recursive: true })
  })
  return results
}

test('a question that nobody sees to is a defect, and never vanishes', async () => {
  // Media of a kind that was forgotten somewhere.
  const media = { kind: 'sound' } as unknown as EvalSample['media']
  const sample: EvalSample = { id: 'q1', group: 'all', media, judge: (answer) => ({ predicted: answer }) }
  const context = { model: createInstantModel(), budget: { kind: 'fixed', frames: 2 }, generation: {}, signal: new AbortController().signal } as const
  const asking = new Questioning(await emptyResults(), [sample], context).askAll({ skipMissing: true, onQuestion: undefined })
  await expect(asking).rejects.toThrow('Question q1 has no outcome.')
})
