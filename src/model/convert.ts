import { copyFile, readFile, readdir, statfs, writeFile } from 'node:fs/promises'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'

import { expectOneOf, expectText } from '../checks.js'
import { StreamError } from '../errors.js'
import { packageVersion } from '../version.js'
import { DESCRIPTION_FILES } from './checkpoint/description-files.js'
import { expectFolder } from './checkpoint/hub/repository.js'
import { openCheckpoint } from './checkpoint/layouts/layouts.js'
import { createSourceDigest } from './convert/digest.js'
import { checkOutput, fillOutput } from './convert/output-folder.js'
import { planConversion } from './convert/plan.js'
import { type PrecisionOptions, type PrecisionPlan, planPrecisions } from './convert/precisions.js'
import { type ConvertProgress, countBytes, countProofBytes, writeGraphs } from './convert/write-graphs.js'
import type { AttentionLowering } from './graph/module.js'
import type { WrittenFile } from './graph/write.js'
import { BUNDLE_VERSION, MANIFEST_FILE, type Manifest, manifestSchema } from './manifest.js'
import { templates } from './parts/templates/templates.js'
import { bitsOf } from './precision.js'
import { createQuantisePool } from './quantise/pool.js'
import { checkEndTokens } from './tokenizer/check-end-tokens.js'
import { loadTokenizer } from './tokenizer/load-tokenizer.js'

export type { ConvertProgress } from './convert/write-graphs.js'

/** How a checkpoint is converted. */
export interface ConvertOptions extends PrecisionOptions {
  /** How attention is lowered to operators. @default 'fused' */
  readonly attention?: AttentionLowering
  /** Chat template that answers use by default. @default the language model's */
  readonly template?: string
  /** Name of the model in answers. @default the checkpoint folder's name */
  readonly name?: string
  /** Replaces a bundle that is there already, and nothing else. @default false */
  readonly overwrite?: boolean
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: ConvertProgress) => void
}

// Converting streams its weights through buffers of a few MiB; this is what Node itself takes, and some air.
const NEEDED_MEMORY_BYTES = 256 * 1024 ** 2

// A thread that quantises: Node's own part of it, and the rows it works on.
const THREAD_MEMORY_BYTES = 48 * 1024 ** 2

// A tower that is run lies in memory as its file and as its kernels want it.
const COPIES_TO_COMPARE = 2

/**
 * Turns a checkpoint in one of its original layouts into a bundle of ONNX graphs.
 *
 * Everything is checked before anything is written: configuration, every tensor's name, type, shape
 * and place, room on disk, memory. The bundle is built beside `outDirectory` and appears by rename:
 * never half. Weights are streamed; memory doesn't grow with the model.
 *
 * @param checkpointDirectory Folder with `config.json`, weights and tokenizer files, in a layout of `docs/MODELS.md`.
 * @param outDirectory Folder of the bundle, made by this call.
 * @returns The manifest of the bundle.
 * @throws {StreamError} `SETTING_INVALID`, `CHECKPOINT_*`, `PART_UNKNOWN`, `TOKENIZER_INVALID`, `CONVERT_OUTPUT_EXISTS`,
 *   `CONVERT_NO_SPACE`, `CONVERT_NO_MEMORY`, `CONVERT_NOT_WRITABLE`, `CONVERT_INACCURATE` (a tower in
 *   int8-dynamic), `MODEL_WORKER_DIED`, `ABORTED`.
 *
 * @example
 * ```ts
 * await convertCheckpoint('./TinyLLaVA-Video-Qwen2.5-3B-Group-16-512', './models/group-16-512')
 * ```
 */
export async function convertCheckpoint(
  checkpointDirectory: string,
  outDirectory: string,
  options: ConvertOptions = {},
): Promise<Manifest> {
  const checkpoint = resolve(expectFolder(expectText('checkpointDirectory', checkpointDirectory)))
  const out = resolve(expectText('outDirectory', outDirectory))
  const settings = checkOptions(options, checkpoint)
  const output = { checkpoint, out, overwrite: options.overwrite === true }
  await checkOutput(output)
  const { description, weights } = await openCheckpoint(checkpoint)
  const digest = createSourceDigest()
  const pool = createQuantisePool()
  try {
    const plan = planConversion(description, weights, { ...settings, pool, onRaw: digest.onRaw })
    await checkTokenizer(checkpoint, { ...plan.parts, ...settings })
    const proofBytes = countProofBytes(plan)
    await checkDisk(out, countBytes(plan) + proofBytes)
    const threads = quantisesBlocks(settings) ? pool.threads : 0
    checkMemory(NEEDED_MEMORY_BYTES + threads * THREAD_MEMORY_BYTES + proofBytes * COPIES_TO_COMPARE)
    return await fillOutput(output, async (folder) => {
      const files = [...(await writeGraphs(plan, folder, options)), ...(await copyFiles(checkpoint, folder))]
      return writeManifest(folder, {
        sourceDigest: digest.finish(description.configBytes),
        ...plan.parts,
        ...settings,
        files: Object.fromEntries(files.map(({ name, bytes, sha256 }) => [name, { bytes, sha256 }])),
      })
    })
  } finally {
    await pool.close()
  }
}

/** Fails before anything is written where the tokenizer could not be used. */
async function checkTokenizer(checkpoint: string, { template, languageModel }: Pick<Manifest, 'template' | 'languageModel'>): Promise<void> {
  const { eosTokenIds } = languageModel
  const { endText } = templates.get(template)
  checkEndTokens(checkpoint, await loadTokenizer(checkpoint), { eosTokenIds, endText })
}

async function writeManifest(folder: string, content: Omit<Manifest, 'format' | 'version' | 'createdBy'>): Promise<Manifest> {
  const manifest = manifestSchema.parse({
    format: 'tinyllava-stream-bundle',
    version: BUNDLE_VERSION,
    createdBy: packageVersion(),
    ...content,
  })
  await writeFile(join(folder, MANIFEST_FILE), `${JSON.stringify(manifest, undefined, 2)}\n`)
  return manifest
}

/** What the manifest takes over from the options, checked before anything is read. */
function checkOptions(options: ConvertOptions, checkpoint: string) {
  const { attention = 'fused', name = basename(checkpoint), template } = options
  if (template !== undefined) templates.get(template)
  return {
    name: expectText('name', name),
    ...planPrecisions(options),
    attention: expectOneOf('attention', attention, ['fused', 'primitive'] as const),
    ...(template !== undefined && { template }),
  }
}

/** Whether the pool's threads have something to do. */
const quantisesBlocks = ({ precisions }: PrecisionPlan): boolean => Object.values(precisions).some((part) => bitsOf(part) !== undefined)

async function checkDisk(out: string, neededBytes: number): Promise<void> {
  const directory = nearestFolder(out)
  const { bavail, bsize } = await statfs(directory)
  if (bavail * bsize < neededBytes) {
    throw new StreamError(
      'CONVERT_NO_SPACE',
      `${directory} has ${megabytes(bavail * bsize)} MB left, the bundle takes ${megabytes(neededBytes)} MB. Make room or name another disk.`,
    )
  }
}

function checkMemory(neededBytes: number): void {
  const left = process.availableMemory()
  if (left >= neededBytes) return
  throw new StreamError('CONVERT_NO_MEMORY', `${megabytes(left)} MB of memory are left, converting takes ${megabytes(neededBytes)} MB.`)
}

/** The closest folder above that exists already: what is made below it lies on the same disk. */
function nearestFolder(path: string): string {
  const parent = dirname(path)
  return existsSync(parent) || parent === path ? parent : nearestFolder(parent)
}

const megabytes = (bytes: number): number => Math.round(bytes / 1e6)

async function copyFiles(from: string, to: string): Promise<readonly WrittenFile[]> {
  const names = (await readdir(from)).filter((name) => DESCRIPTION_FILES.has(name)).sort()
  return Promise.all(names.map(async (name) => {
    await copyFile(join(from, name), join(to, name))
    const bytes = await readFile(join(to, name))
    return { name, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }
  }))
}
