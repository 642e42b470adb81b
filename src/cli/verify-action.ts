import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { concatMap, lastValueFrom, toArray } from 'rxjs'

import { StreamError } from '../errors.js'
import { convertCheckpoint } from '../model/convert.js'
import { MANIFEST_FILE } from '../model/manifest.js'
import type { Pixels } from '../model/model.js'
import { openBundle, verifyBundle } from '../model/runtime/bundle.js'
import { type Comparison, type VerifyClip, compareModels } from '../model/verify/compare.js'
import { openStages } from '../model/verify/stages.js'
import { uniform } from '../sampling/uniform.js'
import { file } from '../sources/file.js'
import { comparisonTable } from './comparison-table.js'
import { onInterrupt } from './interrupt.js'
import { createProgress } from './progress.js'
import type { Reporter } from './reporter.js'

/** What can be said beside the bundle. */
export interface VerifyFlags {
  readonly against?: string
  readonly clip?: readonly string[]
  readonly question?: readonly string[]
  readonly frames?: number
  readonly maxNewTokens?: number
  readonly minSame?: number
  readonly json?: true
}

/** The clip that comes with the package; two folders up from `src/cli` and from `dist/cli`. */
const SAMPLES = ['two-shapes.mp4'].map((name) => fileURLToPath(new URL(`../../pipelines/samples/${name}`, import.meta.url)))

const QUESTIONS = ['Describe the video.', 'What happens?', 'How many objects are there?', 'What colours can be seen?']

/**
 * Checks a bundle's files against their digests; then compares it with a checkpoint or another bundle and prints a
 * table.
 *
 * @throws {StreamError} `BUNDLE_*`, `VERIFY_DIFFERS` where fewer answers are the same than `minSame` wants; whatever
 *   converting and reading videos throws.
 */
export async function verify(bundleDir: string, flags: VerifyFlags, reporter: Reporter): Promise<void> {
  await verifyBundle(await openBundle(bundleDir))
  if (flags.against === undefined) {
    process.stdout.write(`${bundleDir}: every file is as \`convert\` wrote it\n`)
    return
  }
  const abort = new AbortController()
  const forget = onInterrupt(reporter, 'stopping', () => { abort.abort() })
  try {
    const comparison = await withReference(flags.against, abort.signal, async (reference) => {
      const models = { found: await openStages(bundleDir), expected: await openStages(reference) }
      return compareModels(models, clipsOf(flags), {
        signal: abort.signal,
        ...(flags.maxNewTokens !== undefined && { maxNewTokens: flags.maxNewTokens }),
        onPair: ({ question, expected, found }) => {
          reporter.detail(expected === found ? `same: ${question} ${found}` : `differs: ${question} expected ${expected}, got ${found}`)
        },
      })
    })
    process.stdout.write(flags.json === true ? `${JSON.stringify(comparison, undefined, 2)}\n` : comparisonTable(comparison))
    expectSame(comparison, flags.minSame ?? 0)
  } finally {
    forget()
  }
}

/** A bundle as it is; a checkpoint converted to fp32, for as long as it is needed. */
async function withReference<Result>(dir: string, signal: AbortSignal, use: (bundle: string) => Promise<Result>): Promise<Result> {
  if (existsSync(join(dir, MANIFEST_FILE))) return use(dir)
  const folder = await mkdtemp(join(tmpdir(), 'tinyllava-verify-'))
  const progress = createProgress('converting the reference')
  try {
    const bundle = join(folder, 'fp32')
    await convertCheckpoint(dir, bundle, { signal, onProgress: progress.update })
    progress.end()
    return await use(bundle)
  } finally {
    progress.end()
    await rm(folder, { recursive: true, force: true })
  }
}

async function* clipsOf({ clip = SAMPLES, question = QUESTIONS, frames = 16 }: VerifyFlags): AsyncGenerator<VerifyClip> {
  for (const path of clip) yield { pictures: await picturesOf(path, frames), questions: question }
}

async function picturesOf(path: string, frames: number): Promise<readonly Pixels[]> {
  const taken = file(path, { sampling: uniform(frames) }).streams.pipe(
    concatMap((stream) => stream.frames),
    concatMap((frame) => {
      frame.receipt.settle({ kind: 'encoded' })
      return [{ data: frame.data, width: frame.width, height: frame.height }]
    }),
    toArray(),
  )
  return lastValueFrom(taken)
}

function expectSame({ answers }: Comparison, minPercent: number): void {
  if (answers.share * 100 >= minPercent) return
  throw new StreamError(
    'VERIFY_DIFFERS',
    `${answers.same} of ${answers.total} answers are the same, ${minPercent} % were asked for. ` +
      'See which with --verbose; convert with a smaller --block-size, or a higher precision.',
  )
}
