import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { fakeModelSource } from './fake-model.js'
import { linesOf, runCli, startCli } from './spawn-cli.js'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'run-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

interface PipelineParts {
  readonly before?: string
  readonly model?: string
  readonly source?: string
  readonly sinks?: string
}

/** Writes a pipeline, far from this package, and returns its path. */
async function writePipeline({ before = '', model, source, sinks }: PipelineParts): Promise<string> {
  const path = join(folder, 'pipeline.ts')
  await writeFile(
    path,
    `import { answer, consoleSink, definePipeline, encode, jsonLines, slidingWindow, synthetic } from 'tinyllava-stream'
     ${before}
     enum Wording { What = 'What?' }
     const model: any = ${model ?? fakeModelSource()}
     export default definePipeline({
       name: 'test',
       model,
       sources: [${source ?? "synthetic({ frames: 2, fps: 1 })"}],
       stream: (frames, context) =>
         frames.pipe(encode(context.model), slidingWindow({ frames: 2 }), answer(context.model, Wording.What)),
       sinks: [${sinks ?? 'consoleSink()'}],
     })`,
  )
  return path
}

/** As people run it at a terminal, and served to nobody: tests run beside each other. */
const asText = ['run', '--log-format', 'text', '--no-http']
/** As a machine runs it. */
const asService = ['run', '--port', '0']

describe('run', () => {
  test('runs a TypeScript file that lies outside of any package', async () => {
    const { status, stdout } = await runCli([...asText, await writePipeline({})])
    expect(status).toBe(0)
    expect(linesOf(stdout)).toEqual([expect.stringContaining('synthetic'), '  What?', '  echo: What?'])
  })

  test('hands arguments on, and loads files beside it', async () => {
    await writeFile(join(folder, 'helper.ts'), 'export const say = (text: string): void => console.error(text)')
    const before = "import { say } from './helper'\nsay(process.argv.slice(2).join('+'))"
    const { status, stderr } = await runCli([...asText, await writePipeline({ before }), 'one', '--two'])
    expect(status).toBe(0)
    expect(stderr).toContain('one+--two')
  })

  test('its classes are those of the command line, so that its errors are told as they are', async () => {
    const before = `import { StreamError } from 'tinyllava-stream'
      throw new StreamError('SETTING_INVALID', 'I refuse.')`
    const { status, stderr } = await runCli([...asText, await writePipeline({ before })])
    expect({ status, stderr }).toEqual({ status: 1, stderr: 'tinyllava-stream: SETTING_INVALID: I refuse.\n' })
  })

  test.each([
    ['export default 3', 'not a declaration'],
    ['export const pipeline = 3', 'not a declaration'],
    ['export const x: = 3', 'ParseError'],
    ["import 'no-such-package'\nexport default 3", "Cannot find module 'no-such-package'"],
    ['null!.x', 'Cannot read properties of null'],
  ])('a file that holds no pipeline is one line and exit code 1: %s', async (text, expected) => {
    const path = join(folder, 'pipeline.ts')
    await writeFile(path, text)
    const { status, stdout, stderr } = await runCli([...asText, path])
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(linesOf(stderr)).toEqual([expect.stringMatching(/^tinyllava-stream: PIPELINE_INVALID: /)])
    expect(stderr).toContain(expected)
  })

  test('a failure is one line with its code; --verbose adds stack and cause', async () => {
    const path = await writePipeline({ sinks: "jsonLines('no-such-folder/answers.jsonl')" })
    const [short, long] = await Promise.all([runCli([...asText, path]), runCli([...asText, '--verbose', path])])
    expect(short).toMatchObject({ status: 1, stdout: '' })
    expect(linesOf(short.stderr)).toEqual([
      expect.stringMatching(/^tinyllava-stream: SINK_FAILED: .*its directory does not exist.*\(ENOENT\)\.$/),
    ])
    expect(long.status).toBe(1)
    expect(long.stderr).toMatch(/StreamError: Could not open[\s\S]*\n {4}at [\s\S]*\[cause\]: Error: ENOENT/)
  })

  test('an error nobody expected is one line too', async () => {
    const model = fakeModelSource("Promise.reject(new TypeError('a mistake\\nin code'))")
    const path = await writePipeline({ model })
    const [short, long] = await Promise.all([runCli([...asText, path]), runCli([...asText, '--verbose', path])])
    expect(short.status).toBe(1)
    expect(linesOf(short.stderr)).toEqual([
      'asked',
      'tinyllava-stream: unexpected error: TypeError: a mistake in code (--verbose shows where; please report it)',
    ])
    expect(long.stderr).toMatch(/TypeError: a mistake\n in code|TypeError: a mistake\nin code\n {4}at /)
  })

  test('says nothing of questions and answers on stderr', async () => {
    const { stdout, stderr } = await runCli([...asText, '--verbose', await writePipeline({})])
    expect(stdout).toContain('echo: What?')
    expect(stderr).toContain('stream synthetic ended: complete')
    expect(stderr).not.toContain('What?')
  })

  test('Ctrl-C finishes what is under way, and ends with 0', async () => {
    // The answer comes only after the signal, from a camera that never ends.
    const model = fakeModelSource("new Promise((resolve) => process.once('SIGINT', () => setImmediate(resolve)))")
    const before = `
      import { NEVER, concat, map } from 'rxjs'
      const few = synthetic({ frames: 3, fps: 1, isLive: true })
      const goOn = map(({ info, frames }) => ({ info, frames: concat(frames, NEVER) }))
      const camera = { ...few, streams: few.streams.pipe(goOn) }`
    const source = 'camera'
    const cli = startCli([...asText, await writePipeline({ model, before, source })])
    await cli.whenSaid('asked')
    cli.child.kill('SIGINT')
    const { status, stdout, stderr } = await cli.end
    expect({ status, stdout: linesOf(stdout).at(-1) }).toEqual({ status: 0, stdout: '  echo: What?' })
    expect(stderr).toContain('warning: stopping: finishing what is under way (Ctrl-C again ends at once)')
  })

  test('a second signal ends it at once', async () => {
    const model = fakeModelSource('new Promise(() => {})')
    const cli = startCli([...asText, await writePipeline({ model })])
    await cli.whenSaid('asked')
    cli.child.kill('SIGINT')
    await cli.whenSaid('stopping')
    cli.child.kill('SIGTERM')
    expect((await cli.end).status).toBe(128 + 15)
  })

  test('a reader that goes away is a failed sink', async () => {
    const cli = startCli([...asText, await writePipeline({})])
    cli.child.stdout?.destroy()
    const { status, stderr } = await cli.end
    expect(status).toBe(1)
    expect(stderr).toContain('SINK_FAILED: Could not print an answer: its reader has gone (EPIPE).')
  })
})

/** A pipeline that answers one question at once, and another when a second frame comes: never. */
const CAMERA = `
  import { NEVER, concat, map } from 'rxjs'
  const few = synthetic({ id: 'camera', frames: 2, fps: 1, isLive: true })
  const goOn = map(({ info, frames }) => ({ info, frames: concat(frames, NEVER) }))
  const camera = { ...few, streams: few.streams.pipe(goOn) }`

type LogLine = Readonly<Record<string, unknown>> & { readonly msg: string }

function logOf(stderr: string): readonly LogLine[] {
  return linesOf(stderr).filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as LogLine)
}

describe('run as a service', () => {
  /** Starts a camera's pipeline and waits until it says where it is served. */
  async function startService(args: readonly string[] = asService, env: Readonly<Record<string, string>> = {}) {
    const cli = startCli([...args, await writePipeline({ before: CAMERA, source: 'camera' })], { env })
    await cli.whenSaid('serving on')
    await cli.whenSaid('asked')
    const said = logOf(cli.stderr()).find(({ msg }) => msg === 'serving on')
    return { ...cli, address: String(said?.address) }
  }

  test('logs JSON where nobody watches, one line an event, and SIGTERM ends it with 0', async () => {
    const { address, child, end } = await startService()
    expect(address).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    expect((await fetch(`${address}/readyz`)).status).toBe(200)
    expect(await (await fetch(`${address}/metrics`)).text()).toContain('tinyllava_frames_handed_out_total{source="camera"} 2')
    child.kill('SIGTERM')
    const { status, stderr } = await end
    expect(status).toBe(0)
    const lines = logOf(stderr)
    expect(lines.map(({ msg }) => msg)).toEqual(
      expect.arrayContaining(['the run begins', 'the model is ready', 'a stream begins', 'draining', 'a stream ended', 'the run is over']),
    )
    expect(lines.find(({ msg }) => msg === 'draining')).toMatchObject({ timeoutMs: 30_000 })
    expect(stderr).not.toContain('What?')
  })

  test('a failure is a line of JSON, too, and 1', async () => {
    const path = await writePipeline({ sinks: "jsonLines('no-such-folder/answers.jsonl')" })
    const { status, stderr } = await runCli([...asService, path])
    expect(status).toBe(1)
    expect(logOf(stderr).at(-1)).toMatchObject({ level: 'error', msg: 'failed', error: { code: 'SINK_FAILED' } })
    expect(linesOf(stderr).every((line) => line.startsWith('{'))).toBe(true)
  })

  test('--log-level chooses', async () => {
    const { status, stderr } = await runCli([...asService, '--log-level', 'error', await writePipeline({})])
    expect({ status, lines: logOf(stderr) }).toEqual({ status: 0, lines: [] })
  })

  test('the drain has its time, and what isn’t finished then is let go', async () => {
    const model = fakeModelSource('new Promise(() => {})')
    const path = await writePipeline({ model, before: CAMERA, source: 'camera' })
    const cli = startCli([...asService, '--drain-timeout', '0', path])
    await cli.whenSaid('asked')
    cli.child.kill('SIGTERM')
    const { status, stderr } = await cli.end
    expect(status).toBe(0)
    expect(logOf(stderr).find(({ msg }) => msg === 'the time for draining is over')).toMatchObject({ level: 'warn' })
  })

  test('a token from the environment guards it', async () => {
    const token = 'a-token-of-many-characters'
    const args = [...asService, '--token-env', 'MY_TOKEN']
    const { address, child, end } = await startService(args, { MY_TOKEN: token })
    expect((await fetch(`${address}/sources`)).status).toBe(401)
    expect((await fetch(`${address}/sources`, { headers: { authorization: `Bearer ${token}` } })).status).toBe(200)
    child.kill('SIGTERM')
    expect((await end).stderr).not.toContain(token)
  })

  test.each([
    [['--host', '0.0.0.0'], 'SETTING_INVALID', 'give it a token'],
    [['--token-env', 'NO_SUCH_TOKEN'], 'SETTING_INVALID', 'The variable NO_SUCH_TOKEN, named by --token-env, is not set'],
  ])('refuses %j in one line, and runs nothing', async (args, code, message) => {
    const path = await writePipeline({ before: "console.error('loaded')" })
    const { status, stdout, stderr } = await runCli(['run', '--log-format', 'text', ...args, path])
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(linesOf(stderr)).toEqual([expect.stringMatching(new RegExp(`^tinyllava-stream: ${code}: .*${message}`))])
  })

  test('a port that is asked for and taken is a failure; the usual one is only a habit', async () => {
    const first = await startService()
    const { port } = new URL(first.address)
    const second = await runCli(['run', '--port', port, await writePipeline({})])
    expect(second.status).toBe(1)
    expect(logOf(second.stderr).at(-1)).toMatchObject({
      error: { code: 'HTTP_LISTEN_FAILED', message: expect.stringContaining('choose another port, or 0') as unknown },
    })
    // Whoever comes first has the usual port, and both are served.
    const others = await Promise.all([startService(['run']), startService(['run'])])
    expect(new Set(others.map(({ address }) => address)).size).toBe(2)
    for (const { child } of [first, ...others]) child.kill('SIGTERM')
    for (const { end } of [first, ...others]) expect((await end).status).toBe(0)
  })
})
