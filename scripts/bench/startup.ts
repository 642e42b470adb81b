import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

import { type Row, median } from './measure.js'

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url))
const CLIP = fileURLToPath(new URL('../../pipelines/samples/two-shapes.mp4', import.meta.url))

const LIMIT_MS = 2000

/** Times the command line from its start to its first answer; the demo model's bundle is in the cache already. */
export async function benchStartup({ repeats }: { repeats: number }): Promise<readonly Row[]> {
  // Builds the bundle where it isn't there.
  await firstAnswerMs()
  const times: number[] = []
  for (let repeat = 0; repeat < repeats; repeat += 1) times.push(await firstAnswerMs())
  return [{
    what: 'start of the process to its first answer, demo model, 16 frames of an mp4',
    figure: `${median(times).toFixed(0)} ms`,
    against: `${LIMIT_MS} ms`,
    ratio: median(times) / LIMIT_MS,
    goal: { atMost: 1 },
  }]
}

async function firstAnswerMs(): Promise<number> {
  const startedAt = performance.now()
  const child = spawn(process.execPath, [CLI, 'ask', CLIP, 'How many shapes are there?'], { stdio: ['ignore', 'pipe', 'inherit'] })
  let answeredAt = NaN
  child.stdout.once('data', () => { answeredAt = performance.now() })
  const [code] = await once(child, 'close') as [number | null]
  if (code !== 0) throw new Error(`The command line ended with ${String(code)}: see above.`)
  return answeredAt - startedAt
}
