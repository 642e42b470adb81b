import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import sharp from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { linesOf, runCli } from './spawn-cli.js'
import type { CliEnd } from './spawn-cli.js'

const checkpoint = fileURLToPath(new URL('../reference/cases/qwen2-group-16/checkpoint', import.meta.url))
const clip = fileURLToPath(new URL('../media/bunny.mp4', import.meta.url))

let folder: string
let bundle: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'explain-'))
  bundle = join(folder, 'bundle')
  await runCli(['convert', checkpoint, '--out', bundle])
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const ask = (...args: readonly string[]): Promise<CliEnd> =>
  runCli(['ask', clip, ...args, '--model', bundle, '--max-new-tokens', '4', '--frames', '5'])

test('prints the answer that is given without it, and explains each of its tokens over each frame', async () => {
  const page = join(folder, 'why.html')
  const [explained, plain] = [await ask('What?', '--explain', page), await ask('What?')]
  expect(explained).toMatchObject({ status: 0, stdout: plain.stdout })
  expect(linesOf(explained.stderr).at(-1)).toBe(`the answer is explained in ${page}`)
  const html = await readFile(page, 'utf8')
  // One more of the whole answer.
  expect(html.match(/<section class="panel"/g)).toHaveLength(4 + 1)
  expect(html.match(/<figure>/g)).toHaveLength((4 + 1) * 5)
  expect(html.match(/data:image\/jpeg/g)).toHaveLength(5)
  expect(html).toContain('bunny.mp4 · 5 pictures')
})

test('the page doesn’t show what an address hides', async () => {
  const picture = await sharp({ create: { width: 40, height: 30, channels: 3, background: '#14c832' } }).png().toBuffer()
  const server = createServer((_, response) => response.end(picture))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const address = `http://ann:hunter2@127.0.0.1:${(server.address() as AddressInfo).port}/photo.png?token=hunter2`
  const page = join(folder, 'far.html')
  const { status, stderr } = await runCli(['ask', address, 'What?', '--explain', page, '--model', bundle, '--max-new-tokens', '4'])
  server.close()
  expect(status).toBe(0)
  const html = await readFile(page, 'utf8')
  expect(html).toContain('photo.png · 1 picture ·')
  expect(html + stderr).not.toContain('hunter2')
})

test.each([
  [['What?', 'Why?'], /takes one question/],
  [[], /takes one question/],
  [['What?', '--conversation'], /cannot be used with option '--conversation'/],
  [['What?', '--each-frame'], /cannot be used with option '--each-frame'/],
  [['What?', '--json'], /cannot be used with option '--json'/],
  [['What?', '--temperature', '1'], /cannot be used with option '--temperature/],
])('a wrong use is one line and exit code 2: %j', async (args, message) => {
  const { status, stdout, stderr } = await ask(...args, '--explain', join(folder, 'never.html'))
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
  expect(linesOf(stderr)).toEqual([expect.stringMatching(message)])
  expect(existsSync(join(folder, 'never.html'))).toBe(false)
})

test('a page that can’t be written is told of before anything is asked', async () => {
  const { status, stdout, stderr } = await ask('What?', '--explain', join(folder, 'no-such-folder', 'why.html'))
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
  expect(linesOf(stderr)).toEqual([expect.stringMatching(/^tinyllava-stream: SINK_FAILED: The page .* can't be written \(ENOENT/)])
  const toFolder = await ask('What?', '--explain', folder)
  expect(linesOf(toFolder.stderr)).toEqual([expect.stringMatching(/^tinyllava-stream: SINK_FAILED: The page .* can't be written \(it is a folder/)])
})
