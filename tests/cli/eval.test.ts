import { execFileSync } from 'node:child_process'
import { closeSync, constants, existsSync, openSync, readFileSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'

import { beforeAll, describe, expect, test } from 'vitest'

import { Miniatures } from '../eval/miniature.js'
import { referencePath } from '../support/golden.js'
import { linesOf, runCli, startCli } from './spawn-cli.js'
import type { CliEnd } from './spawn-cli.js'

const miniatures = new Miniatures()
let bundle: string
let data: string
let heldData: string
beforeAll(async () => {
  bundle = join(miniatures.path, 'bundle')
  await miniatures.draw()
  data = await miniatures.copy('mmvu', 'mmvu')
  heldData = await miniatures.copy('longvideobench', 'longvideobench')
  const checkpoint = referencePath('cases/qwen2-group-16/checkpoint')
  expect(await runCli(['convert', checkpoint, '--out', bundle])).toMatchObject({ status: 0 })
})

let files = 0
const newResults = (): string => join(miniatures.path, `results-${(files += 1)}.jsonl`)

const argumentsOf = (results: string, more: readonly string[] = []): readonly string[] => [
  ...['eval', '--benchmark', 'mmvu', '--data', data, '--model', bundle, '--results', results, '--max-new-tokens', '4', '--frames', '3'],
  ...more,
]
/** The same of LongVideoBench, which asks two questions about each of its four videos. */
const heldArguments = (results: string, ...more: readonly string[]): readonly string[] => [
  ...['eval', '--benchmark', 'longvideobench', '--data', heldData, '--model', bundle, '--results', results, '--max-new-tokens', '4', '--frames', '3'],
  ...more,
]

/**
 * Makes evaluations wait at their third question: the second video's subtitles are a pipe, from which nothing comes.
 *
 * @returns how to let whoever waits go on: the file is a file again.
 */
function holdThirdQuestion(): () => void {
  const path = join(heldData, 'subtitles/clip-2_en.json')
  const content = readFileSync(path)
  rmSync(path)
  execFileSync('mkfifo', [path])
  return () => {
    // Opened for both it doesn't wait for a reader.
    const pipe = openSync(path, constants.O_RDWR)
    writeSync(pipe, content)
    writeFileSync(`${path}.new`, content)
    renameSync(`${path}.new`, path)
    closeSync(pipe)
  }
}

const evaluate = (results: string, ...more: readonly string[]): Promise<CliEnd> => runCli(argumentsOf(results, more))
const answersIn = (path: string): unknown[] => readFileSync(path, 'utf8').split('\n').slice(1, -1).map((line) => JSON.parse(line) as unknown)

describe('eval', () => {
  test('prints the score as a table, and says on stderr how far it is', async () => {
    const results = newResults()
    const { status, stdout, stderr } = await evaluate(results)
    expect(status).toBe(0)
    expect(linesOf(stdout).map((line) => line.trim().split(/\s{2,}/)[0])).toEqual(
      expect.arrayContaining(['MMVU', 'question type', 'multiple-choice', 'open-ended', 'Avg']),
    )
    expect(linesOf(stderr).at(-1)).toBe('asked: 6 of 6')
    expect(answersIn(results)).toHaveLength(6)
    expect(existsSync(results.replace('.jsonl', '.answers.jsonl'))).toBe(true)
  })

  test('--json prints the numbers under the reference’s names; --limit asks fewer', async () => {
    const { status, stdout } = await evaluate(newResults(), '--json', '--limit', '2')
    expect(status).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ benchmark: 'MMVU', answered: 2, skipped: 0, final: { Avg: expect.any(Number) as number } })
  })

  test('killed in the middle, it goes on with the answers that are there, and ends as one run does', async () => {
    const [whole, broken] = [newResults(), newResults()]
    const expected = await runCli(heldArguments(whole, '--json'))
    const release = holdThirdQuestion()
    const cli = startCli(heldArguments(broken))
    await cli.whenSaid('asked: 2 of 8')
    cli.child.kill('SIGKILL')
    await cli.end
    release()
    expect(answersIn(broken)).toEqual(answersIn(whole).slice(0, 2))

    const resumed = await runCli(heldArguments(broken, '--resume', '--json'))
    expect([resumed.status, resumed.stdout]).toEqual([0, expected.stdout])
    expect(answersIn(broken)).toEqual(answersIn(whole))
  })

  test('Ctrl-C keeps what was answered, and says how to go on', async () => {
    const results = newResults()
    const release = holdThirdQuestion()
    const cli = startCli(heldArguments(results))
    await cli.whenSaid('asked: 2 of 8')
    cli.child.kill('SIGINT')
    await cli.whenSaid(`--resume goes on with ${results}`)
    release()
    const { status, stderr } = await cli.end
    expect(status).toBe(1)
    expect(linesOf(stderr).at(-1)).toContain('ABORTED')
    expect(answersIn(results)).toHaveLength(2)
  })
})

test('ScienceQA’s questions without a picture are answered by the language model alone', async () => {
  const [folder, results] = [await miniatures.copy('sqa', 'scienceqa'), newResults()]
  const { status, stdout } = await runCli(['eval', '--benchmark', 'sqa', '--data', folder, '--model', bundle, '--results', results, '--max-new-tokens', '4', '--json'])
  expect(status).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({ answered: 12, skipped: 0 })
  const answers = answersIn(results) as { readonly answer: string }[]
  expect(answers.filter(({ answer }) => answer === 'FAILED')).toEqual([])
  expect(answers).toHaveLength(12)
})

describe('what can’t be run is one line with its code', () => {
  const failure = async (...args: readonly string[]): Promise<string | undefined> => {
    const { status, stdout, stderr } = await runCli(args)
    expect([status, stdout]).toEqual([1, ''])
    return linesOf(stderr).at(-1)
  }

  test('a results file that is there already, or is another run’s', async () => {
    const results = newResults()
    await evaluate(results, '--limit', '1')
    expect(await failure(...argumentsOf(results))).toMatch(/^tinyllava-stream: EVAL_RESULTS_EXIST: /)
    expect(await failure(...argumentsOf(results, ['--resume', '--template', 'phi']))).toMatch(/^tinyllava-stream: EVAL_RESULTS_DIFFER: .*template: /)
    expect(answersIn(results)).toHaveLength(1)
  })

  test('a folder that isn’t the benchmark’s, before the model is looked for', async () => {
    const line = await failure('eval', '--benchmark', 'mvbench', '--data', data, '--model', 'no-such-bundle')
    expect(line).toMatch(/^tinyllava-stream: EVAL_DATA_NOT_FOUND: .*fine_grained_pose\.json/)
  })

  test('annotations that are none', async () => {
    const folder = await miniatures.copy('mmvu', 'mmvu')
    writeFileSync(join(folder, 'validation.json'), '[{"id": 1}]')
    expect(await failure('eval', '--benchmark', 'mmvu', '--data', folder)).toMatch(/^tinyllava-stream: EVAL_DATA_INVALID: /)
  })

  test('a wrong command line is exit code 2', async () => {
    const wrong = [
      ['eval', '--benchmark', 'imagenet', '--data', data],
      ['eval', '--data', data],
      ['eval', '--benchmark', 'mmvu'],
      ['eval', '--benchmark', 'pope', '--data', data, '--frames', '8'],
      ['eval', '--benchmark', 'mmvu', '--data', data, '--max-frames', '3'],
      argumentsOf('x', ['--frames-per-second']),
      argumentsOf('x', ['--limit', '0']),
    ]
    for (const args of wrong) expect(await runCli(args)).toMatchObject({ status: 2, stdout: '' })
    const { stderr } = await runCli(wrong[0] ?? [])
    expect(stderr).toContain('video-mme')
  })
})
