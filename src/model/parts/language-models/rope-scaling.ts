import { z } from 'zod'

import { unsupported } from '../../checkpoint/config.js'

/** `rope_scaling` as a configuration holds it; what it says is checked by `ropeScaling`. */
export const ropeScalingSchema = z.unknown().optional()

/** The two kinds that transformers 4.40.1 knows, which takes exactly these fields. */
const knownScalingSchema = z.strictObject({ type: z.enum(['linear', 'dynamic']), factor: z.number().gt(1) })

/** What a scaling does to positions. */
export interface RopeScaling {
  /** What positions are divided by. */
  readonly factor: number
  /** Whether rotations beyond the model's own positions follow another rule. */
  readonly endsAtMaxPositions: boolean
}

/**
 * Reads `rope_scaling`.
 *
 * - `linear` (Chen et al. 2023) divides positions by the factor.
 * - `dynamic` (NTK-aware) changes nothing up to `max_position_embeddings`. Beyond, the reference chooses the frequencies by
 *   the length of each run, so that an answer depends on how its positions were cut into runs: such positions aren't offered.
 *
 * Source: transformers 4.40.1 `LlamaLinearScalingRotaryEmbedding`, `LlamaDynamicNTKScalingRotaryEmbedding` and those of
 * Phi and StableLM.
 *
 * @throws {StreamError} `CHECKPOINT_UNSUPPORTED` for any other kind.
 */
export function ropeScaling(raw: unknown): RopeScaling {
  if (raw === undefined || raw === null) return { factor: 1, endsAtMaxPositions: false }
  const { success, data } = knownScalingSchema.safeParse(raw)
  if (!success) throw unsupported(`rope_scaling ${JSON.stringify(raw)} (known: type linear or dynamic, with a factor above 1)`)
  return data.type === 'linear' ? { factor: data.factor, endsAtMaxPositions: false } : { factor: 1, endsAtMaxPositions: true }
}
