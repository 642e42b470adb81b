import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { z } from 'zod'

import { StreamError } from '../../errors.js'
import { type ImageProcessorConfig, imageProcessorSchema } from './image-processor.js'

/** Name of the file in which a checkpoint says what it is. */
export const CONFIG_FILE = 'config.json'
const IMAGE_PROCESSOR_FILE = 'preprocessor_config.json'

const subConfig = z.looseObject({ model_type: z.string().optional() })
const optionalInteger = z.int().min(1).nullish()

/** `config.json` of a TinyLLaVA checkpoint, with the defaults of the reference's `TinyLlavaConfig`. */
const configSchema = z.object({
  model_type: z.literal('tinyllava'),
  llm_model_name_or_path: z.string().nullish().default(''),
  tokenizer_name_or_path: z.string().nullish(),
  vision_model_name_or_path: z.string().nullish().default(''),
  /** Of MoF's second tower. */
  vision_model_name_or_path2: z.string().nullish().default(''),
  connector_type: z.string(),
  text_config: subConfig,
  vision_config: subConfig,
  vision_feature_layer: z.int().default(-2),
  vision_feature_select_strategy: z.enum(['patch', 'cls_patch']).default('patch'),
  /** What becomes of an image that is not square; a video's frames are always made square. */
  image_aspect_ratio: z.string().nullish().default('square'),
  num_queries: optionalInteger,
  group: optionalInteger,
  num_resampler_layers: optionalInteger,
  tokenizer_use_fast: z.boolean().nullish(),
  tokenizer_model_max_length: z.number().min(1).nullish().default(2048),
  /** Of connectors from outside: the original code has none. */
  connector_config: z.looseObject({}).optional(),
})

/** What a checkpoint says of itself. Fields keep the names of `config.json`. */
export type CheckpointConfig = z.infer<typeof configSchema>

/** A checkpoint's description, as read from its folder. */
export interface CheckpointDescription {
  readonly config: CheckpointConfig
  readonly imageProcessor: ImageProcessorConfig
  /** Chat template the checkpoint was trained with, where its layout says so. */
  readonly template?: string
  /** The bytes of `config.json`, for digests. */
  readonly configBytes: Uint8Array
}

/** A checkpoint's folder and what its `config.json` says, of whatever layout. */
export interface CheckpointFolder {
  readonly path: string
  readonly config: Readonly<Record<string, unknown>>
  readonly configBytes: Uint8Array
}

/**
 * Reads the `config.json` of a checkpoint folder.
 *
 * @throws {StreamError} `CHECKPOINT_NOT_FOUND`, `CHECKPOINT_CONFIG_INVALID`.
 */
export async function readFolder(path: string): Promise<CheckpointFolder> {
  const configPath = join(path, CONFIG_FILE)
  if (!existsSync(configPath)) {
    throw new StreamError('CHECKPOINT_NOT_FOUND', `${path} holds no ${CONFIG_FILE}. Name the folder of a TinyLLaVA checkpoint.`)
  }
  const configBytes = await readBytes(configPath)
  return { path, configBytes, config: parseConfig(z.record(z.string(), z.unknown()), parseJson(configBytes, configPath), configPath) }
}

/**
 * Describes a checkpoint.
 *
 * @param layout.config The configuration under the names of TinyLLaVA Factory, whatever layout it came from.
 * @throws {StreamError} `CHECKPOINT_CONFIG_INVALID`, `CHECKPOINT_UNSUPPORTED`.
 */
export async function describeCheckpoint(
  { path, configBytes }: CheckpointFolder,
  { config, template }: { readonly config: unknown; readonly template?: string },
): Promise<CheckpointDescription> {
  const imageProcessor = (await readJsonFile(join(path, IMAGE_PROCESSOR_FILE))) ?? {}
  const parsed = parseConfig(configSchema, config, join(path, CONFIG_FILE))
  // The reference would take the fast class then, whose ids differ from the slow one's here and there.
  if (parsed.tokenizer_use_fast === true) throw unsupported('tokenizer_use_fast')
  return {
    config: parsed,
    imageProcessor: parseConfig(imageProcessorSchema, imageProcessor, join(path, IMAGE_PROCESSOR_FILE)),
    ...(template !== undefined && { template }),
    configBytes,
  }
}

/** What a JSON file says, or `undefined` where there is none. @throws {StreamError} `CHECKPOINT_CONFIG_INVALID`. */
export async function readJsonFile(path: string): Promise<unknown> {
  return existsSync(path) ? parseJson(await readBytes(path), path) : undefined
}

/**
 * Parses the part of a configuration that a schema describes; keys it doesn't name are let go.
 *
 * @throws {StreamError} `CHECKPOINT_CONFIG_INVALID`, naming the field.
 */
export function parseConfig<Schema extends z.ZodType>(schema: Schema, raw: unknown, where: string): z.infer<Schema> {
  const parsed = schema.safeParse(raw)
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')
  throw new StreamError('CHECKPOINT_CONFIG_INVALID', `${where} can't be used: ${problems}.`, { cause: parsed.error })
}

async function readBytes(path: string): Promise<Buffer> {
  return readFile(path).catch((cause: unknown) => {
    throw new StreamError('CHECKPOINT_CONFIG_INVALID', `${path} can't be read (${String(cause)}).`, { cause })
  })
}

function parseJson(bytes: Buffer, path: string): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch (cause) {
    throw new StreamError('CHECKPOINT_CONFIG_INVALID', `${path} is not JSON.`, { cause })
  }
}

/** The error for a checkpoint that asks for something the reference has and we don't. */
export function unsupported(what: string): StreamError {
  return new StreamError('CHECKPOINT_UNSUPPORTED', `${what} is not supported yet. docs/MODELS.md lists what is.`)
}
