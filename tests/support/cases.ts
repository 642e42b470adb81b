import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { z } from 'zod'

import { type ConvertOptions, convertCheckpoint } from '../../src/model/convert.js'
import type { AttentionLowering } from '../../src/model/graph/module.js'
import type { Manifest } from '../../src/model/manifest.js'
import { connectors } from '../../src/model/parts/connectors/connectors.js'
import { createQFormer } from '../../src/model/parts/connectors/q-former.js'
import { type GoldenTensor, readGolden, referencePath } from './golden.js'

// No checkpoint holds the sizes of a Q-Former's BERT, and one of BERT's own size takes 400 MB: the case's is small.
connectors.register('qformer_small', createQFormer({ width: 48, intermediate: 112, heads: 4, layers: 3 }))

const questionSchema = z.object({
  question: z.string(),
  prompt: z.string(),
  promptIds: z.array(z.int()),
  sequenceLength: z.int(),
  truncated: z.boolean(),
  tokens: z.array(z.int()),
  decoded: z.string(),
  text: z.string(),
  stoppedBy: z.enum(['length', 'eos', 'end-text']),
})

const goldenSchema = z.object({
  /** Which of the original codes answered: `factory` saw a picture, `video` a clip. Older goldens are all clips. */
  reference: z.enum(['video', 'factory']).default('video'),
  template: z.string(),
  darkFrames: z.record(z.string(), z.int()),
  newTokens: z.int(),
  questions: z.record(z.string(), questionSchema),
})

/** Stands for the picture in a golden's prompt ids. */
export const IMAGE_MARKER = -200

/** What the original code answered for one small checkpoint. */
export interface ReferenceCase {
  readonly name: string
  readonly checkpoint: string
  readonly tensors: ReadonlyMap<string, GoldenTensor>
  readonly golden: z.infer<typeof goldenSchema>
}

/** Names of all cases below `tests/reference/cases`. */
export const caseNames: readonly string[] = readdirSync(referencePath('cases')).sort()

/** Reads one case. */
export function readCase(name: string): ReferenceCase {
  const text = readFileSync(referencePath(`cases/${name}/golden.json`), 'utf8')
  return {
    name,
    checkpoint: referencePath(`cases/${name}/checkpoint`),
    tensors: readGolden(`cases/${name}/golden.safetensors`),
    golden: goldenSchema.parse(JSON.parse(text)),
  }
}

/** A case's checkpoint, converted into a temporary folder. */
export interface ConvertedCase {
  readonly directory: string
  readonly manifest: Manifest
  remove(): void
}

/** Converts a case's checkpoint with our own code. */
export async function convertCase(
  { name, checkpoint }: ReferenceCase,
  attention: AttentionLowering,
  options: ConvertOptions = {},
): Promise<ConvertedCase> {
  const parent = mkdtempSync(join(tmpdir(), `tinyllava-${name}-`))
  const directory = join(parent, 'bundle')
  const manifest = await convertCheckpoint(checkpoint, directory, { ...options, attention })
  return {
    directory,
    manifest,
    remove: () => {
      rmSync(parent, { recursive: true })
    },
  }
}
