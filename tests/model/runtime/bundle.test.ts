import { appendFileSync, cpSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openBundle, verifyBundle } from '../../../src/model/runtime/bundle.js'
import { type ConvertedCase, convertCase, readCase } from '../../support/cases.js'
import { type TemporaryFolder, temporaryFolder } from '../../support/checkpoint-files.js'
import { referencePath } from '../../support/golden.js'

let converted: ConvertedCase
beforeAll(async () => {
  converted = await convertCase(readCase('qwen2-stop'), 'fused')
})
afterAll(() => {
  converted.remove()
})

let folder: TemporaryFolder
let dir: string
beforeEach(() => {
  folder = temporaryFolder()
  dir = folder.file('bundle')
  cpSync(converted.directory, dir, { recursive: true })
})
afterEach(() => {
  folder.remove()
})

const manifestPath = (): string => join(dir, 'manifest.json')

function editManifest(change: (manifest: Record<string, unknown>) => Record<string, unknown>): void {
  writeFileSync(manifestPath(), JSON.stringify(change(JSON.parse(readFileSync(manifestPath(), 'utf8')) as Record<string, unknown>)))
}

const refusal = (code: string, message: RegExp): unknown =>
  expect.objectContaining({ code, message: expect.stringMatching(message) as unknown })

describe('a good bundle', () => {
  test('opens', async () => {
    expect((await openBundle(dir)).manifest).toEqual(converted.manifest)
  })

  test('keeps its digest under another name and from another version; another file changes it', async () => {
    const digestWith = async (change: object): Promise<string> => {
      writeFileSync(manifestPath(), JSON.stringify({ ...converted.manifest, ...change }))
      return (await openBundle(dir)).digest
    }
    const { digest } = await openBundle(dir)
    expect(await digestWith({ name: 'renamed', createdBy: '9.9.9' })).toBe(digest)
    const { 'config.json': config, ...files } = converted.manifest.files
    const other = { ...files, 'config.json': { bytes: config?.bytes ?? 0, sha256: 'f'.repeat(64) } }
    expect(await digestWith({ files: other })).not.toBe(digest)
    expect(await digestWith({ template: 'phi' })).not.toBe(digest)
  })

  test('verifies', async () => {
    await expect(verifyBundle(await openBundle(dir))).resolves.toBeUndefined()
  })
})

describe('BUNDLE_NOT_FOUND', () => {
  test('for a folder that is not there', async () => {
    await expect(openBundle(folder.file('nowhere'))).rejects.toEqual(refusal('BUNDLE_NOT_FOUND', /no bundle in .*nowhere/))
  })

  test('for a checkpoint, with what to run', async () => {
    const checkpoint = referencePath('cases/qwen2-stop/checkpoint')
    await expect(openBundle(checkpoint)).rejects.toEqual(refusal('BUNDLE_NOT_FOUND', /tinyllava-stream convert/))
  })
})

describe('BUNDLE_INVALID', () => {
  test('for a manifest that is not JSON', async () => {
    writeFileSync(manifestPath(), '{')
    await expect(openBundle(dir)).rejects.toEqual(refusal('BUNDLE_INVALID', /not valid JSON/))
  })

  test('for a manifest that lacks a field, naming it', async () => {
    editManifest((manifest) => ({ ...manifest, languageModel: { name: 'qwen2' } }))
    await expect(openBundle(dir)).rejects.toEqual(refusal('BUNDLE_INVALID', /`languageModel\.width`/))
  })

  test('for a manifest that does not list a graph', async () => {
    editManifest((manifest) => ({ ...manifest, files: {} }))
    await expect(openBundle(dir)).rejects.toEqual(refusal('BUNDLE_INVALID', /lacks `preprocess\.onnx`/))
  })

  test('for a manifest whose connector condenses frames one by one, and that does not list the graph for it', async () => {
    editManifest((manifest) => {
      const files = Object.entries(manifest.files as object).filter(([name]) => name !== 'join_frames.onnx')
      return { ...manifest, files: Object.fromEntries(files) }
    })
    await expect(openBundle(dir)).rejects.toEqual(refusal('BUNDLE_INVALID', /lacks `join_frames\.onnx`/))
  })

  test.each(['../outside', '/etc/passwd', '..'])('for a file name that leads out of the folder: %s', async (name) => {
    const entry = { bytes: 0, sha256: '0'.repeat(64) }
    editManifest((manifest) => ({ ...manifest, files: { ...(manifest.files as object), [name]: entry } }))
    await expect(openBundle(dir)).rejects.toEqual(refusal('BUNDLE_INVALID', /not a plain file name/))
  })
})

test('BUNDLE_VERSION for another format version, whatever else it holds', async () => {
  writeFileSync(manifestPath(), JSON.stringify({ format: 'tinyllava-stream-bundle', version: 9, everything: 'new' }))
  await expect(openBundle(dir)).rejects.toEqual(refusal('BUNDLE_VERSION', /format version 9, this build reads 4/))
})

describe('BUNDLE_DAMAGED', () => {
  const data = 'vision_encoder.onnx.data'

  test('for a data file that was cut', async () => {
    truncateSync(join(dir, data), 1000)
    await expect(openBundle(dir)).rejects.toEqual(refusal('BUNDLE_DAMAGED', /vision_encoder\.onnx\.data` has 1000 bytes/))
  })

  test('for a file that grew', async () => {
    appendFileSync(join(dir, 'vocab.json'), '\n')
    await expect(openBundle(dir)).rejects.toEqual(refusal('BUNDLE_DAMAGED', /vocab\.json/))
  })

  test('for a file that is missing', async () => {
    rmSync(join(dir, 'connector.onnx'))
    await expect(openBundle(dir)).rejects.toEqual(refusal('BUNDLE_DAMAGED', /connector\.onnx` is missing/))
  })

  test('for a byte that differs, when it is verified', async () => {
    const bytes = readFileSync(join(dir, data))
    bytes[5000] = (bytes[5000] ?? 0) ^ 1
    writeFileSync(join(dir, data), bytes)
    await expect(verifyBundle(await openBundle(dir))).rejects.toEqual(refusal('BUNDLE_DAMAGED', /vision_encoder\.onnx\.data/))
  })
})
