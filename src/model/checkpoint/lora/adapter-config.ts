import { join } from 'node:path'

import { z } from 'zod'

import { parseConfig, readJsonFile, unsupported } from '../config.js'

/** What peft keeps an adapter's settings in. */
export const ADAPTER_CONFIG_FILE = 'adapter_config.json'

const pattern = z.record(z.string(), z.number().positive()).nullish()

/** `LoraConfig` of peft 0.10: what merging depends on, with its defaults. */
const loraConfigSchema = z.object({
  peft_type: z.string(),
  r: z.int().min(1).default(8),
  lora_alpha: z.number().default(8),
  use_rslora: z.boolean().default(false),
  rank_pattern: pattern,
  alpha_pattern: pattern,
  use_dora: z.boolean().default(false),
  layer_replication: z.unknown().optional(),
  init_lora_weights: z.unknown().optional(),
})

/** An adapter's settings. */
export type LoraConfig = z.infer<typeof loraConfigSchema>

/**
 * Reads the settings of the adapter in a folder.
 *
 * @throws {StreamError} `CHECKPOINT_CONFIG_INVALID`; `CHECKPOINT_UNSUPPORTED` for adapters that are no plain LoRA.
 */
export async function readLoraConfig(directory: string): Promise<LoraConfig> {
  const path = join(directory, ADAPTER_CONFIG_FILE)
  const config = parseConfig(loraConfigSchema, await readJsonFile(path), path)
  if (config.peft_type !== 'LORA') throw unsupported(`An adapter of peft_type ${config.peft_type}`)
  if (config.use_dora) throw unsupported('An adapter with use_dora')
  if (config.layer_replication !== undefined && config.layer_replication !== null) throw unsupported('An adapter with layer_replication')
  // peft quantises the base model anew when it loads such an adapter.
  if (config.init_lora_weights === 'loftq') throw unsupported('An adapter with init_lora_weights "loftq"')
  return config
}

/**
 * The rank of one layer's adapter, and the factor its product is scaled by: alpha / r, or alpha / √r with `use_rslora`.
 *
 * A pattern's key is the end of a layer's name (to peft a regular expression for it); of several the first counts.
 * Source: peft 0.10 `tuners/lora/model.py` (`_create_and_replace`), `tuners/lora/layer.py` (`update_layer`).
 *
 * @param layer E.g. `language_model.model.layers.0.self_attn.q_proj`.
 */
export function loraScale(config: LoraConfig, layer: string): { readonly rank: number; readonly scale: number } {
  const ranks = config.rank_pattern ?? {}
  const alphas = config.alpha_pattern ?? {}
  const key = [...Object.keys(ranks), ...Object.keys(alphas)].find((candidate) => matchesEnd(candidate, layer)) ?? layer
  const rank = ranks[key] ?? config.r
  const alpha = alphas[key] ?? config.lora_alpha
  return { rank, scale: alpha / (config.use_rslora ? Math.sqrt(rank) : rank) }
}

/** An expression from a file that somebody else wrote is never compiled: it could run for ever. */
function matchesEnd(expression: string, layer: string): boolean {
  if (!/^[\w.]+$/.test(expression)) throw unsupported(`The pattern "${expression}" of an adapter`)
  return layer.endsWith(`.${expression}`)
}
