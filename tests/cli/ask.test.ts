import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream, existsSync } from 'node:fs'
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { answerSchema } from '../../src/envelope.js'
import { findFfmpeg } from '../../src/sources/decoding/ffmpeg-binary.js'
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

  test('--conversation: each question knows those before it; without it they are independent', async () => {
    const [together, apart] = await Promise.all([
      ask('First?', 'Second?', '--conversation', '--json'),
      ask('First?', 'Second?', '--json'),
    ])
    const answersOf = ({ stdout }: CliEnd) => linesOf(stdout).map((line) => answerSchema.parse(JSON.parse(line)))
    const [[first, second], [alone, other]] = [answersOf(together), answersOf(apart)]
    expect([first?.id, first?.answer]).toEqual([alone?.id, alone?.answer])
    expect(second?.rounds).toEqual([{ question: 'First?', answer: first?.answer }])
    expect(second?.id).not.toBe(other?.id)
    expect(second?.tokens.prompt).toBeGreaterThan(other?.tokens.prompt ?? 0)
  })

  test('without a question they are read from the standard input, and make a conversation', async () => {
    const args = ['ask', clip, '--model', bundle, '--max-new-tokens', '4']
    const [typed, given] = await Promise.all([
      runCli(args, { input: 'First?\n\nSecond?' }),
      ask('First?', 'Second?', '--conversation'),
    ])
    expect({ status: typed.status, stderr: typed.stderr }).toEqual({ status: 0, stderr: '' })
    // What was given on the command line is printed above its answer, which is indented.
    const answers = linesOf(given.stdout).filter((line) => line.startsWith('  ')).map((line) => line.slice(2).trim())
    expect(linesOf(typed.stdout).map((line) => line.trim())).toEqual(answers)
  })

  test('a conversation says once what is wrong with the video', async () => {
    const whole = join(folder, 'whole.mkv')
    execFileSync(findFfmpeg(), ['-v', 'error', '-i', clip, '-c', 'copy', whole])
    const cut = join(folder, 'cut.mkv')
    await writeFile(cut, (await readFile(whole)).subarray(0, 200_000))
    const args = ['ask', cut, 'First?', 'Second?', '--conversation', '--model', bundle, '--max-new-tokens', '4']
    const { status, stderr } = await runCli(args)
    expect({ status, lines: linesOf(stderr) }).toEqual({ status: 0, lines: [expect.stringMatching(/^warning: /)] })
  })

  test('no question at all, and nobody who could type one', async () => {
    const { status, stdout, stderr } = await ask()
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(linesOf(stderr)).toEqual([expect.stringMatching(/^tinyllava-stream: SETTING_INVALID: There is no question/)])
  })

  test('a picture is one frame of a stream that bears its name', async () => {
    const picture = join(folder, 'photo.jpg')
    await sharp({ create: { width: 40, height: 30, channels: 3, background: '#c83214' } }).jpeg().toFile(picture)
    const { status, stdout, stderr } = await runCli(['ask', picture, 'What?', '--json', '--model', bundle, '--max-new-tokens', '4'])
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    const answer = answerSchema.parse(JSON.parse(stdout))
    expect(answer).toMatchObject({ source: { id: 'photo.jpg', kind: 'image' }, clip: { startMs: 0, frames: [{ index: 0, ptsMs: 0 }] } })
  })

  test.each([
    ['no picture', 'FRAME_UNREADABLE'],
    [undefined, 'VIDEO_NOT_FOUND'],
  ])('a picture that holds %j is refused before the model is loaded', async (content, code) => {
    const picture = join(folder, 'bad.png')
    await (content === undefined ? rm(picture, { force: true }) : writeFile(picture, content))
    const { status, stderr } = await runCli(['ask', picture, 'What?', '--model', 'no-such-model'])
    expect(status).toBe(1)
    expect(stderr).toMatch(new RegExp(`^tinyllava-stream: ${code}: `))
  })

  test('--each-frame: an answer for each frame, with its time', async () => {
    const [plain, json] = await Promise.all([ask('What?', '--each-frame', '--frames', '3'), ask('What?', '--each-frame', '--frames', '3', '--json')])
    expect([plain.status, json.status]).toEqual([0, 0])
    const answers = linesOf(json.stdout).map((line) => answerSchema.parse(JSON.parse(line)))
    expect(answers.map(({ clip: { frames } }) => frames.length)).toEqual([1, 1, 1])
    expect(new Set(answers.map(({ clip: { startMs } }) => startMs)).size).toBe(3)
    expect(plain.stdout).toMatch(/^0:00\.000 {2}/)
    expect(linesOf(plain.stdout).filter((line) => /^\d+:\d\d\.\d{3} {2}/.test(line))).toHaveLength(3)
  })

  test('--each-frame sees each frame as a picture of it would be seen', async () => {
    const still = join(folder, 'still.png')
    await sharp(Buffer.alloc(64 * 36 * 3, 90), { raw: { width: 64, height: 36, channels: 3 } }).png().toFile(still)
    const moving = join(folder, 'still.mkv')
    execFileSync(findFfmpeg(), ['-v', 'error', '-loop', '1', '-i', still, '-frames:v', '1', '-c:v', 'ffv1', '-pix_fmt', 'bgr0', moving])
    const answerOf = async (...args: readonly string[]) => {
      const { stdout } = await runCli(['ask', ...args, 'What?', '--json', '--model', bundle, '--max-new-tokens', '8'])
      return answerSchema.parse(JSON.parse(stdout)).answer
    }
    expect(await answerOf(moving, '--each-frame', '--frames', '1')).toBe(await answerOf(still))
  })

  test.each([
    ['photo.jpg', ['--frames', '8'], '--frames <n>'],
    ['photo.jpg', ['--frames-per-second'], '--frames-per-second'],
    ['https://example.com/photo.png?size=2', ['--frames-per-second', '--max-frames', '4'], '--frames-per-second'],
  ])('refuses to pick frames of a picture: %s %j', async (picture, args, option) => {
    const { status, stdout, stderr } = await runCli(['ask', picture, 'What?', ...args])
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(linesOf(stderr)).toEqual([`tinyllava-stream: option '${option}' is for videos, and this is one picture (see --help)`])
  })

  test.each([
    [['--each-frame', '--conversation', 'What?'], /each-frame.*conversation/],
    [['--each-frame'], /needs a question/],
  ])('refuses %j', async (args, message) => {
    const { status, stderr } = await ask(...args)
    expect(status).toBe(2)
    expect(stderr).toMatch(message)
  })

  test('takes so many frames as it is told, or one each second', async () => {
    const [some, eachSecond] = await Promise.all([
      ask('What?', '--json', '--frames', '3'),
      ask('What?', '--json', '--frames-per-second', '--max-frames', '4'),
    ])
    const countOf = ({ stdout }: CliEnd) => answerSchema.parse(JSON.parse(stdout)).clip.frames.length
    expect([countOf(some), countOf(eachSecond)]).toEqual([3, 4])
  })

  test('a video or a picture behind an http address gives the answer of the file', async () => {
    const picture = join(folder, 'far.png')
    await sharp({ create: { width: 40, height: 30, channels: 3, background: '#14c832' } }).png().toFile(picture)
    const server = createServer(({ url = '' }, response) => createReadStream(url.endsWith('png') ? picture : clip).pipe(response))
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const askAbout = (what: string): Promise<CliEnd> => runCli(['ask', what, 'What?', '--model', bundle, '--max-new-tokens', '4'])
    const far = [await askAbout(`${address}/bunny.mp4`), await askAbout(`${address}/far.png`)]
    server.close()
    expect(far).toEqual([await ask('What?'), await askAbout(picture)])
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
