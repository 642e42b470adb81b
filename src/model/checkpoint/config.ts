import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { z } from 'zod'

import { StreamError } from '../../errors.js'

const CONFIG_FILE = 'config.json'
const IMAGE_PROCESSOR_FILE = 'preprocessor_config.json'

const subConfig = z.looseObject({ model_type: z.string().optional() })
const optionalInteger = z.int().min(1).nullish()

/** `config.json` of a TinyLLaVA checkpoint, with the defaults of the reference's `TinyLlavaConfig`. */
const configSchema = z.object({
  model_type: z.literal('tinyllava'),
  llm_model_name_or_path: z.string().nullish().default(''),
  vision_model_name_or_path: z.string().nullish().default(''),
  connector_type: z.string(),
  text_config: subConfig,
  vision_config: subConfig,
  vision_feature_layer: z.int().default(-2),
  vision_feature_select_strategy: z.enum(['patch', 'cls_patch']).default('patch'),
  num_queries: optionalInteger,
  group: optionalInteger,
  num_resampler_layers: optionalInteger,
  tokenizer_model_max_length: z.number().min(1).nullish().default(2048),
})

/** `preprocessor_config.json`: the image processor of the tower's base model, where it lies in the folder. */
const imageProcessorSchema = z.object({
  size: z.object({ height: z.int().min(1), width: z.int().min(1) }).partial().optional(),
  image_mean: z.array(z.number()).length(3).optional(),
  image_std: z.array(z.number()).length(3).optional(),
  resample: z.int().optional(),
  rescale_factor: z.number().optional(),
})

/** What a checkpoint says of itself. Fields keep the names of `config.json`. */
export type CheckpointConfig = z.infer<typeof configSchema>

/** What `preprocessor_config.json` says. */
export type ImageProcessorConfig = z.infer<typeof imageProcessorSchema>

/** A checkpoint's description, as read from its folder. */
export interface CheckpointDescription {
  readonly config: CheckpointConfig
  readonly imageProcessor: ImageProcessorConfig
  /** The bytes of `config.json`, for digests. */
  readonly configBytes: Uint8Array
}

/**
 * Reads what a checkpoint folder says of itself.
 *
 * @throws {StreamError} `CHECKPOINT_NOT_FOUND`, `CHECKPOINT_CONFIG_INVALID`.
 */
export async function readDescription(directory: string): Promise<CheckpointDescription> {
  const path = join(directory, CONFIG_FILE)
  if (!existsSync(path)) {
    throw new StreamError(
      'CHECKPOINT_NOT_FOUND',
      `${directory} holds no ${CONFIG_FILE}. Name the folder of a TinyLLaVA-Video checkpoint.`,
    )
  }
  const configBytes = await readBytes(path)
  const imageProcessorPath = join(directory, IMAGE_PROCESSOR_FILE)
  const imageProcessor = existsSync(imageProcessorPath) ? await readBytes(imageProcessorPath) : Buffer.from('{}')
  return {
    config: parseConfig(configSchema, parseJson(configBytes, path), path),
    imageProcessor: parseConfig(imageProcessorSchema, parseJson(imageProcessor, imageProcessorPath), imageProcessorPath),
    configBytes,
  }
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
