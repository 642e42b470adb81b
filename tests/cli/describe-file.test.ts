import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { answerSchema } from '../../src/envelope.js'
import { linesOf, runCli } from './spawn-cli.js'
import type { CliEnd } from './spawn-cli.js'

const pipeline = fileURLToPath(new URL('../../pipelines/describe-file.ts', import.meta.url))

let folder: string
let end: CliEnd
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'describe-file-'))
  // As on a fresh machine: the demo model is built into an empty cache.
  end = await runCli(['run', '--log-format', 'text', pipeline], { cwd: folder, env: { TINYLLAVA_STREAM_CACHE: join(folder, 'cache') } })
})
afterAll(() => rm(folder, { recursive: true, force: true }))

test('the pipeline of `npm start` prints what the sample clip shows, with the frames’ times', () => {
  expect(end.status).toBe(0)
  const [heading, ...lines] = linesOf(end.stdout)
  expect(heading).toMatch(/^two-shapes\.mp4 {2}0:00\.000 to 0:04\.615, 16 frames: 0\.000 0\.308 .* 4\.615$/)
  // What the scene was drawn as; see scripts/demo-model/make-sample.ts.
  const description: unknown = expect.stringMatching(/^A large green circle moves down\. A small yellow star appears/)
  expect(lines.map((line) => line.trim())).toEqual([
    ...['Describe the video.', description],
    ...['How many shapes are there?', 'Two.'],
    ...['What color is the star?', 'Yellow.'],
    ...['When does the second shape appear?', 'In the middle.'],
  ])
})

test('it tells of the first building on stderr', () => {
  expect(end.stderr).toContain('building the demo model: decoder_model_merged.onnx')
})

test('it writes the same answers to answers.jsonl', async () => {
  const answers = linesOf(await readFile(join(folder, 'answers.jsonl'), 'utf8')).map((line) =>
    answerSchema.parse(JSON.parse(line)),
  )
  expect(answers.map(({ question }) => question)).toHaveLength(4)
  for (const { answer, clip, model } of answers) {
    expect(end.stdout).toContain(`  ${answer}\n`)
    expect(clip).toMatchObject({ coverage: 1, startMs: 0 })
    expect(clip.frames).toHaveLength(16)
    expect(model.name).toBe('tinyllava-stream-demo')
  }
})
