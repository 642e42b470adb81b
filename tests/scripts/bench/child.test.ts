import { watch } from 'node:fs'

import { expect, test } from 'vitest'
import { z } from 'zod'

import { runChild } from '../../../scripts/bench/child.js'
import { temporaryFolder } from '../../support/checkpoint-files.js'

const schema = z.object({ seconds: z.number() })
const run = (code: string, limit?: AbortSignal) => runChild(process.execPath, ['-e', code], { schema, ...(limit && { limit }) })

test('reads the last line on stdout', async () => {
  expect(await run('console.log("hello"); console.log(JSON.stringify({ seconds: 2 }))')).toEqual({ kind: 'done', result: { seconds: 2 } })
})

test('says why there is no result', async () => {
  expect(await run('console.error("first"); console.error("no room"); process.exit(3)')).toEqual({ kind: 'failed', why: 'ended with 3: no room' })
  expect(await run('console.log("hello")')).toEqual({ kind: 'failed', why: 'printed no result: hello' })
  expect(await runChild('no-such-program', [], { schema })).toMatchObject({ kind: 'failed', why: expect.stringContaining('no-such-program') as string })
})

test('stops a child at its limit, and tells how long it had been at what is timed', async () => {
  const folder = temporaryFolder()
  try {
    const limit = new AbortController()
    // The file is the child's word that it has begun.
    const watcher = watch(folder.path, () => { limit.abort() })
    const late = await run(`console.log('begin'); require('fs').writeFileSync('${folder.file('begun')}', ''); setInterval(() => {}, 1000)`, limit.signal)
    watcher.close()
    expect(late).toEqual({ kind: 'late', seconds: expect.any(Number) as number, runSeconds: expect.any(Number) as number })
  } finally {
    folder.remove()
  }
})

test('a child that was stopped before it began says nothing of how long it takes', async () => {
  const late = await run('setInterval(() => {}, 1000)', AbortSignal.abort())
  expect(late).toEqual({ kind: 'late', seconds: expect.any(Number) as number })
})
