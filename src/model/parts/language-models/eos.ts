import { z } from 'zod'

/** `eos_token_id` as configurations hold it: none, one or several. */
export const eosSchema = z.union([z.int().min(0), z.array(z.int().min(0))]).nullish()

/** `eos_token_id` as it was read. */
export type EosTokenIds = z.infer<typeof eosSchema>

/** The end-of-sequence ids as a list. */
export function eosList(eos: EosTokenIds): readonly number[] {
  if (eos === undefined || eos === null) return []
  return typeof eos === 'number' ? [eos] : eos
}
