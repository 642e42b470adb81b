import { once } from 'node:events'
import { createReadStream, existsSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { answerSchema } from '../../src/envelope.js'
import { linesOf, runCli, startCli } from './spawn-cli.js'
import type { CliEnd } from './spawn-cli.js'

const checkpoint = fileURLToPath(new URL('../reference/cases/qwen2-group-16/checkpoint', import.meta.url))
const clip = fileURLToPath(new URL('../media/bunny.mp4', import.meta.url))

let folder: string
let bundle: string
let converted: CliEnd
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ask-'))
  bundle = join(folder, 'bundle')
  converted = await runCli(['convert', checkpoint, '--out', bundle])
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** Asks the small model of the bundle; what it says is noise, but always the same. */
const ask = (...args: readonly string[]): Promise<CliEnd> =>
  runCli(['ask', clip, ...args, '--model', bundle, '--max-new-tokens', '4'])

describe('convert', () => {
  test('prints the bundle’s folder, and on stderr a line for each graph', () => {
    expect(converted).toMatchObject({ status: 0, stdout: `${bundle}\n` })
    expect(linesOf(converted.stderr)).toContainEqual(expect.stringMatching(/^converting: vision_encoder\.onnx/))
    expect(existsSync(join(bundle, 'manifest.json'))).toBe(true)
  })

  test.each([
    [[checkpoint, '--out', '.'], 'CONVERT_OUTPUT_EXISTS'],
    [['no-such-checkpoint', '--out', 'new'], 'CHECKPOINT_NOT_FOUND'],
  ])('a failure is one line and exit code 1: %j', async (args, code) => {
    const { status, stdout, stderr } = await runCli(['convert', ...args], { cwd: folder })
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(linesOf(stderr)).toEqual([expect.stringMatching(new RegExp(`^tinyllava-stream: ${code}: `))])
  })
})

describe('ask', () => {
  test('one question: its answer alone', async () => {
    const { status, stdout, stderr } = await ask('What?')
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).not.toContain('What?')
    expect(stdout.endsWith('\n')).toBe(true)
  })

  test('sampling settings and a template reach the model: one seed one answer, another id', async () => {
    const sampled = (seed: string): Promise<CliEnd> =>
      ask('What?', '--json', '--temperature', '5', '--top-p', '0.9', '--seed', seed, '--template', 'phi')
    const ends = [await ask('What?', '--json'), await sampled('3'), await sampled('3'), await sampled('4')]
    expect(ends.map(({ status }) => status)).toEqual([0, 0, 0, 0])
    const [greedy, first, again, other] = ends.map(({ stdout }) => answerSchema.parse(JSON.parse(stdout)))
    expect([again?.id, again?.answer]).toEqual([first?.id, first?.answer])
    expect(new Set([greedy?.id, first?.id, other?.id]).size).toBe(3)
    expect(first?.answer).not.toBe(greedy?.answer)
  })

  test('several questions: each with its answer; --json the results themselves, the same ones', async () => {
    const [plain, json] = await Promise.all([ask('First?', 'Second?'), ask('First?', 'Second?', '--json')])
    expect([plain.status, json.status]).toEqual([0, 0])
    const answers = linesOf(json.stdout).map((line) => answerSchema.parse(JSON.parse(line)))
    expect(answers.map(({ question, clip }) => [question, clip.frames.length])).toEqual([
      ['First?', 16],
      ['Second?', 16],
    ])
    expect(linesOf(plain.stdout).filter((line) => !line.startsWith('  '))).toEqual(['First?', 'Second?'])
  })

  test('takes so many frames as it is told, or one each second', async () => {
    const [some, eachSecond] = await Promise.all([
      ask('What?', '--json', '--frames', '3'),
      ask('What?', '--json', '--frames-per-second', '--max-frames', '4'),
    ])
    const countOf = ({ stdout }: CliEnd) => answerSchema.parse(JSON.parse(stdout)).clip.frames.length
    expect([countOf(some), countOf(eachSecond)]).toEqual([3, 4])
  })

  test('a video behind an http address gives the answer of the file', async () => {
    const server = createServer((_, response) => createReadStream(clip).pipe(response)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/bunny.mp4`
    const far = await runCli(['ask', address, 'What?', '--model', bundle, '--max-new-tokens', '4'])
    server.close()
    expect(far).toEqual(await ask('What?'))
  })

  test('a missing file is told of before the model is looked for', async () => {
    const { status, stdout, stderr } = await runCli(['ask', 'no-such-clip.mp4', 'What?', '--model', 'no-such-bundle'])
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(linesOf(stderr)).toEqual([expect.stringMatching(/^tinyllava-stream: VIDEO_NOT_FOUND: .*no-such-clip\.mp4/)])
  })

  test('so is a file that is no video', async () => {
    const { status, stderr } = await runCli(['ask', 'README.md', 'What?', '--model', 'no-such-bundle'])
    expect(status).toBe(1)
    expect(linesOf(stderr)).toEqual([expect.stringMatching(/^tinyllava-stream: VIDEO_/)])
  })

  test('Ctrl-C while the demo model is built leaves no half of it, and is no success', async () => {
    const cache = join(folder, 'cache')
    const cli = startCli(['ask', clip, 'What?'], { env: { TINYLLAVA_STREAM_CACHE: cache } })
    await cli.whenSaid('building the demo model')
    cli.child.kill('SIGINT')
    const { status, stdout, stderr } = await cli.end
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(stderr).toContain('tinyllava-stream: ABORTED: ')
    expect((await readdir(join(cache, 'bundles'))).filter((name) => name.includes('.build-'))).toEqual([])
  })

  test('a bundle that isn’t there is one line with its code', async () => {
    const { status, stderr } = await runCli(['ask', clip, 'What?', '--model', 'no-such-bundle'])
    expect(status).toBe(1)
    expect(linesOf(stderr)).toEqual([expect.stringMatching(/^tinyllava-stream: BUNDLE_NOT_FOUND: /)])
  })
})
