import { execFile } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'

import { resultSchema } from '../src/envelope.js'
import { readSafetensors } from './support/checkpoint-files.js'
import { referencePath, relativeError } from './support/golden.js'
import { float32Tensor, floats, openGraph } from './support/graphs.js'
import { type CheckpointParts, writeRandomCheckpoint } from './support/random-checkpoint.js'
import { seededNormals } from './support/seeded.js'
import { below, dense, norm, stack } from './support/zoo/shapes.js'

const run = promisify(execFile)
const root = fileURLToPath(new URL('..', import.meta.url))
const readText = (path: string): string => readFileSync(join(root, path), 'utf8')

/** The examples of a document, by their names. */
function examplesOf(document: string): ReadonlyMap<string, string> {
  const found = readText(document).matchAll(/<!-- example:([\w-]+) -->\n```ts\n([\s\S]*?)```\n<!-- example:end -->/g)
  return new Map(Array.from(found, ([, name = '', text = '']) => [name, text]))
}

const examples = examplesOf('README.md')
const ownParts = examplesOf('docs/PARTS.md')

/** A program that converts and asks a checkpoint of parts that this package doesn't have. */
const OWN_MODEL = `
import './connector.js'
import './language-model.js'
import './template.js'
import './tower.js'
import { convertCheckpoint, loadModel } from 'tinyllava-stream'

const manifest = await convertCheckpoint('own-checkpoint', 'own-bundle', { name: 'own' })
const model = await loadModel('own-bundle')
const answer = await model.ask('clip.mp4', 'What happens?', { maxNewTokens: 4 })
await model.dispose()
console.log(JSON.stringify({ template: manifest.template, parts: model.info.parts, answer }))
`

/** What parts may be written with and no example shows: the type check looks at it. */
const OWN_IMPORTS = `
import {
  type AttentionModules, type AttentionWatch, type CheckpointConfig, type DecoderOnlyConfig, type EosTokenIds, type ImageProcessorConfig,
  type LanguageModelShape, type Module, type PatchGeometry, type PixelRules, type Template, type TokenGeometry, type Value,
  FACTORY_SYSTEM, decoderShape, embedTokens, eosList, eosSchema, headOrEmbedding, layerNormHeads, pixelRules, quickGelu, requireField,
  rmsNormHeads, shiftedRmsNorm, tokenRows, unsupported, visionAttention, withClassToken,
} from 'tinyllava-stream/parts'

export const pixels = (family: PixelRules, processor: ImageProcessorConfig): PixelRules => pixelRules(family, processor)
export const looked = (module: Module, rows: Value, modules: AttentionModules, geometry: TokenGeometry): Value =>
  visionAttention(module, withClassToken(module, rows, rows), modules, geometry)
export const queries = (config: CheckpointConfig): number => requireField(config, 'num_queries')
export const all = ({ graph }: Module, features: Value): Value => quickGelu(graph, tokenRows(graph, features))
export const shape = (config: DecoderOnlyConfig): LanguageModelShape => decoderShape(config)
export const logits = (module: Module, ids: Value, config: DecoderOnlyConfig): Value =>
  headOrEmbedding(module, shiftedRmsNorm(module, embedTokens(module, ids, config), 1e-6), config)
export const heads = (module: Module, x: Value): Value => layerNormHeads(module, rmsNormHeads(module, x, 2, 1e-6), 2, 1e-6)
export const ends = (raw: unknown): readonly number[] => eosList(eosSchema.parse(raw) satisfies EosTokenIds)
export const plain: Pick<Template, 'system'> = { system: FACTORY_SYSTEM }
export const watch = (module: Module): AttentionWatch | undefined => module.watch
export const geometry: PatchGeometry = { patch: 7, width: 24, bias: true }
export const refused: Error = unsupported('window attention')
`

/** A checkpoint of the parts that docs/PARTS.md describes. */
const OWN_CHECKPOINT: CheckpointParts = {
  config: {
    model_type: 'tinyllava',
    connector_type: 'frame_mean',
    vision_config: { model_type: 'patches', image_size: 28, patch_size: 7, hidden_size: 24 },
    vision_feature_select_strategy: 'cls_patch',
    text_config: { model_type: 'plain', vocab_size: 640, hidden_size: 32, num_hidden_layers: 2, num_attention_heads: 4, eos_token_id: 600 },
  },
  tensors: [
    ['vision_tower._vision_tower.embedding.weight', [24, 3, 7, 7]],
    ['vision_tower._vision_tower.positions', [16, 24]],
    ...dense('connector._connector', [32, 24]),
    ...below('language_model', [
      ['embed.weight', [640, 32]],
      ...stack('layers', 2, () => [
        ...norm('norm', 32),
        ...['query', 'key', 'value', 'output'].flatMap((name) => dense(name, [32, 32])),
        ...dense('expand', [128, 32]),
        ...dense('contract', [32, 128]),
      ]),
      ...norm('norm', 32),
      ...dense('head', [640, 32], { bias: false }),
    ]),
  ],
  tokenizer: referencePath('cases/qwen2-group-16/checkpoint'),
}

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
  for (const [name, text] of [...examples, ...ownParts]) writeFileSync(join(project, `${name}.ts`), text)
  writeFileSync(join(project, 'own-model.ts'), OWN_MODEL)
  writeFileSync(join(project, 'own-imports.ts'), OWN_IMPORTS)
  writeRandomCheckpoint(join(project, 'own-checkpoint'), OWN_CHECKPOINT)
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

describe('parts of its own', () => {
  const answerSchema = z.object({
    template: z.string(),
    parts: z.record(z.string(), z.string()),
    answer: z.object({ answer: z.string(), tokens: z.object({ visual: z.number(), answer: z.number() }) }),
  })
  let own: z.infer<typeof answerSchema>
  beforeAll(async () => {
    own = answerSchema.parse(JSON.parse(await inProject(process.execPath, ['own-model.js'])))
  })

  test('the guide shows one of each kind, and a connector in under 40 lines', () => {
    expect([...ownParts.keys()]).toEqual(['connector', 'tower', 'language-model', 'template'])
    expect(ownParts.get('connector')?.split('\n').length).toBeLessThan(40)
  })

  test('a tower, a connector, a language model and a template: converted, loaded and asked', () => {
    expect(own.parts).toEqual({ tower: 'patches', connector: 'frame_mean', languageModel: 'plain' })
    // A token for each of the sixteen frames.
    expect(own).toMatchObject({ template: 'terse', answer: { tokens: { visual: 16, answer: 4 } } })
  })

  test('a connector computes what its lines say: the mean of a frame’s tokens, through a linear layer', async () => {
    const { header, data } = readSafetensors(join(project, 'own-checkpoint/model.safetensors'))
    const read = (name: string, at: number): number =>
      data.readFloatLE((header[`connector._connector.${name}`]?.data_offsets[0] ?? NaN) + at * 4)
    const features = seededNormals(2 * 16 * 24, 5)
    const meanOf = (frame: number, column: number): number =>
      Array.from({ length: 16 }, (_, token) => features[(frame * 16 + token) * 24 + column] ?? NaN).reduce((sum, value) => sum + value) / 16
    const expected = Array.from({ length: 2 * 32 }, (_, at) => {
      const [frame, feature] = [Math.floor(at / 32), at % 32]
      const products = Array.from({ length: 24 }, (__, column) => meanOf(frame, column) * read('weight', feature * 24 + column))
      return products.reduce((sum, product) => sum + product, read('bias', feature))
    })
    const connector = await openGraph(join(project, 'own-bundle'), 'connector.onnx')
    const tokens = floats(await connector({ features: float32Tensor(features, [2, 16, 24]) }), 'visual_tokens')
    expect(relativeError(tokens, expected)).toBeLessThan(1e-5)
  })

  test('by the command line, from TypeScript files: the same bundle and the same answer', async () => {
    const command = join(project, 'node_modules/.bin/tinyllava-stream')
    const files = [...ownParts.keys()].flatMap((name) => ['--parts', `${name}.ts`])
    await inProject(command, ['convert', 'own-checkpoint', '--out', 'cli-bundle', ...files])
    expect(readFileSync(join(project, 'cli-bundle/connector.onnx'))).toEqual(readFileSync(join(project, 'own-bundle/connector.onnx')))
    const asked = ['ask', 'clip.mp4', 'What happens?', '--model', 'cli-bundle', '--parts', 'template.ts', '--max-new-tokens', '4', '--json']
    expect(JSON.parse(await inProject(command, asked))).toMatchObject({ answer: own.answer.answer })
  })
})
