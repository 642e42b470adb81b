import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { StreamError } from '../../errors.js'
import { BUNDLE_VERSION, GRAPH_FILES, MANIFEST_FILE, type Manifest, manifestSchema } from '../manifest.js'

/** A converted model on disk, checked as far as that is quick. */
export interface Bundle {
  readonly dir: string
  readonly manifest: Manifest
  /** What the answers depend on: see `bundleDigest`. */
  readonly digest: string
}

/**
 * Opens a bundle: reads its manifest and compares each file's size with it.
 *
 * @throws {StreamError} `BUNDLE_NOT_FOUND`, `BUNDLE_INVALID` (the manifest is malformed), `BUNDLE_VERSION`
 *   (of another format version), `BUNDLE_DAMAGED` (a file is missing or was cut).
 */
export async function openBundle(dir: string): Promise<Bundle> {
  const bytes = await readManifest(dir)
  const manifest = parseManifest(dir, bytes)
  for (const [file, { bytes: expected }] of Object.entries(manifest.files)) await checkSize(dir, file, expected)
  return { dir, manifest, digest: bundleDigest(manifest) }
}

/**
 * sha256 over all that an answer depends on: every file's digest, and the settings the runtime reads.
 * The name and the version that wrote the bundle have no part in it: renaming changes no answer's id.
 */
function bundleDigest({ files, version, template, visionTower, connector, languageModel }: Manifest): string {
  const digests = Object.keys(files).sort().map((file) => [file, files[file]?.sha256])
  const canonical = JSON.stringify([digests, version, template, visionTower, connector, languageModel])
  return createHash('sha256').update(canonical).digest('hex')
}

/**
 * Reads every file of a bundle and compares its sha256 with the manifest: takes seconds for each gigabyte.
 *
 * @throws {StreamError} `BUNDLE_DAMAGED`, naming the first file that differs.
 */
export async function verifyBundle({ dir, manifest }: Bundle): Promise<void> {
  for (const [file, { sha256 }] of Object.entries(manifest.files)) {
    const hash = createHash('sha256')
    for await (const chunk of createReadStream(join(dir, file))) hash.update(chunk as Buffer)
    if (hash.digest('hex') !== sha256) throw damaged(dir, `\`${file}\` differs from what \`convert\` wrote`)
  }
}

async function readManifest(dir: string): Promise<Buffer> {
  try {
    return await readFile(join(dir, MANIFEST_FILE))
  } catch (error) {
    const advice = (await isFile(join(dir, 'config.json')))
      ? `\`${dir}\` looks like a checkpoint, not a converted bundle. Run \`tinyllava-stream convert ${dir} --out BUNDLE_DIR\` first.`
      : `There is no bundle in \`${dir}\`: \`${MANIFEST_FILE}\` can't be read.`
    throw new StreamError('BUNDLE_NOT_FOUND', advice, { cause: error })
  }
}

function parseManifest(dir: string, bytes: Buffer): Manifest {
  let json: unknown
  try {
    json = JSON.parse(bytes.toString('utf8'))
  } catch (error) {
    throw new StreamError('BUNDLE_INVALID', `\`${join(dir, MANIFEST_FILE)}\` is not valid JSON.`, { cause: error })
  }
  // Before the rest: a manifest of another version may well have other fields.
  const version = typeof json === 'object' && json !== null && 'version' in json ? json.version : undefined
  if (typeof version === 'number' && version !== BUNDLE_VERSION) {
    throw new StreamError(
      'BUNDLE_VERSION',
      `The bundle in \`${dir}\` has format version ${version}, this build reads ${BUNDLE_VERSION}. Convert its checkpoint again.`,
    )
  }
  const parsed = manifestSchema.safeParse(json)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw invalid(dir, `\`${issue?.path.join('.') ?? ''}\`: ${issue?.message ?? 'unknown'}`)
  }
  checkFileNames(dir, parsed.data)
  return parsed.data
}

function checkFileNames(dir: string, { files, connector, explaining }: Manifest): void {
  const { frameConnector, joinFrames, explainingConnector, ...always } = GRAPH_FILES
  const alone = typeof connector.framesAlone === 'number' ? [frameConnector, joinFrames] : []
  const needed = [...Object.values(always), ...alone, ...(explaining.looks ? [explainingConnector] : [])]
  const missing = needed.find((file) => !Object.hasOwn(files, file))
  if (missing !== undefined) throw invalid(dir, `\`files\` lacks \`${missing}\``)
  // A name is joined to the folder: it must not lead out of it.
  const outside = Object.keys(files).find((file) => !/^[\w.-]+$/.test(file) || file.startsWith('..'))
  if (outside !== undefined) throw invalid(dir, `\`${outside}\` is not a plain file name`)
}

async function checkSize(dir: string, file: string, expected: number): Promise<void> {
  const size = await stat(join(dir, file)).then(
    (found) => found.size,
    () => undefined,
  )
  if (size === undefined) throw damaged(dir, `\`${file}\` is missing`)
  if (size !== expected) throw damaged(dir, `\`${file}\` has ${size} bytes instead of ${expected}`)
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  )
}

function invalid(dir: string, detail: string): StreamError {
  return new StreamError('BUNDLE_INVALID', `\`${join(dir, MANIFEST_FILE)}\` is not a bundle's manifest: ${detail}.`)
}

function damaged(dir: string, detail: string): StreamError {
  return new StreamError('BUNDLE_DAMAGED', `The bundle in \`${dir}\` is damaged: ${detail}. Copy or convert it again.`)
}
