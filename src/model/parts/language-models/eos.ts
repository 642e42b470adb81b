import { z } from 'zod'

/** `eos_token_id` as configurations hold it: none, one or several. */
export const eosSchema = z.union([z.int().min(0), z.array(z.int().min(0))]).nullish()

/** The end-of-sequence ids as a list. */
export function eosList(eos: z.infer<typeof eosSchema>): readonly number[] {
  if (eos === undefined || eos === null) return []
  return typeof eos === 'number' ? [eos] : eos
}
