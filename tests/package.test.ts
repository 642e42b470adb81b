import { execFile } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'

import { resultSchema } from '../src/envelope.js'

const run = promisify(execFile)
const root = fileURLToPath(new URL('..', import.meta.url))
const readText = (path: string): string => readFileSync(join(root, path), 'utf8')

/** The examples of the README, by their names. */
const examples = new Map(
  Array.from(
    readText('README.md').matchAll(/<!-- example:(\w+) -->\n```ts\n([\s\S]*?)```\n<!-- example:end -->/g),
    ([, name = '', text = '']) => [name, text],
  ),
)

type JsonSchema = Parameters<typeof z.fromJSONSchema>[0]

/** A project that isn't ours, with the packed package in it. */
let project: string
let packed: readonly string[]

/** Runs a program in the project. Nothing is fetched for a GPU, and the demo model is built here. */
async function inProject(program: string, args: readonly string[]): Promise<string> {
  const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip', TINYLLAVA_STREAM_CACHE: join(project, 'cache') }
  try {
    return (await run(program, [...args], { cwd: project, env, maxBuffer: 1e8 })).stdout
  } catch (error) {
    // A compiler complains on stdout, which the error's message leaves out.
    const { stdout, stderr } = z.object({ stdout: z.string(), stderr: z.string() }).parse(error)
    throw new Error(`${program} ${args.join(' ')} failed:\n${stdout}${stderr}`, { cause: error })
  }
}

const packSchema = z.array(z.object({ filename: z.string(), files: z.array(z.object({ path: z.string() })) })).length(1)
const manifestSchema = z.object({
  bin: z.record(z.string(), z.string()),
  types: z.string(),
  exports: z.record(z.string(), z.union([z.string(), z.record(z.string(), z.string())])),
})

beforeAll(async () => {
  project = mkdtempSync(join(tmpdir(), 'package-'))
  writeFileSync(join(project, 'package.json'), '{ "name": "an-empty-project", "private": true, "type": "module" }')
  const pack = ['pack', '--json', '--ignore-scripts', '--pack-destination', project]
  const { stdout } = await run('npm', pack, { cwd: root, maxBuffer: 1e8 })
  const [tarball] = packSchema.parse(JSON.parse(stdout))
  packed = tarball?.files.map(({ path }) => path) ?? []
  const install = ['install', '--no-audit', '--no-fund', '--prefer-offline', join(project, tarball?.filename ?? '')]
  await inProject('npm', install)
  copyFileSync(join(root, 'pipelines/samples/two-shapes.mp4'), join(project, 'clip.mp4'))
  for (const [name, text] of examples) writeFileSync(join(project, `${name}.ts`), text)
})
afterAll(() => {
  rmSync(project, { recursive: true, force: true })
})

describe('the packed package', () => {
  test('holds what its package.json promises', () => {
    const { bin, types, exports } = manifestSchema.parse(JSON.parse(readText('package.json')))
    const nested = Object.values(exports).flatMap((entry) =>
      typeof entry === 'string' ? [entry] : Object.values(entry),
    )
    const promised = [types, ...Object.values(bin), ...nested].map((path) => path.replace(/^\.\//, ''))
    expect(promised.filter((path) => !packed.includes(path))).toEqual([])
    expect(packed).toEqual(
      expect.arrayContaining(['README.md', 'LICENSE', 'models/demo/model.safetensors', 'dist/model/runtime/worker.js']),
    )
  })

  test('holds no program, no tests and no sources', () => {
    expect(packed.filter((path) => /ffmpeg(\.exe)?$|^(tests|src|scripts|node_modules)\//.test(path))).toEqual([])
    expect(packed.filter((path) => /\.(exe|so|dylib|dll|node|py)$/.test(path))).toEqual([])
  })
})

describe('in a project of its own', () => {
  test('the README has an example of each way to use it', () => {
    expect([...examples.keys()].sort()).toEqual(['ask', 'pipeline'])
  })

  test('the examples pass the type check', async () => {
    const compilerOptions = { target: 'ES2023', module: 'NodeNext', strict: true, types: [], lib: ['ES2023', 'DOM'] }
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }))
    // Our own compiler: the project needs none to use the package.
    await inProject(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '--project', project])
    expect(readdirSync(project)).toEqual(expect.arrayContaining(['ask.js', 'pipeline.js']))
  })

  test('the example that asks about a file prints an answer', async () => {
    const stdout = await inProject(process.execPath, ['ask.js'])
    expect(stdout).toMatch(/^\S.*\n$/)
  })

  test('the example of a pipeline runs by its command, and writes answers of the published schema', async () => {
    await inProject(join(project, 'node_modules/.bin/tinyllava-stream'), ['run', 'pipeline.ts'])
    const lines = readFileSync(join(project, 'answers.jsonl'), 'utf8').trim().split('\n')
    const results = lines.map((line) => resultSchema.parse(JSON.parse(line)))
    expect(results.map(({ kind, pipeline }) => [kind, pipeline])).toContainEqual(['answer', 'shapes'])

    const schema = join(project, 'node_modules/tinyllava-stream/schema/answer.schema.json')
    const published = z.fromJSONSchema(JSON.parse(readFileSync(schema, 'utf8')) as JsonSchema)
    expect(lines.filter((line) => !published.safeParse(JSON.parse(line)).success)).toEqual([])
  })
})
