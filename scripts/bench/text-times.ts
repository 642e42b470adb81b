import { z } from 'zod'

/** How long a text took; what `text.ts`, `optimum-style.ts` and `peers/llama_cpp_text.py` print. */
export const textTimesSchema = z.object({
  /** Seconds from the prompt to the first token. */
  prefill: z.number(),
  /** Seconds for all other tokens. */
  decode: z.number(),
  /** Most memory the process has had at once, loading the model included. */
  peakBytes: z.number(),
})

/** How long a text took. */
export type TextTimes = z.infer<typeof textTimesSchema>

/** How long a text is. */
export interface TextLength {
  /** Tokens before the first one that is generated. */
  readonly prompt: number
  /** Tokens that are generated. */
  readonly tokens: number
}

/** Tokens a second, before the first generated one and after it. */
export function tokenRates({ prefill, decode }: TextTimes, { prompt, tokens }: TextLength): { prefill: number; decode: number } {
  return { prefill: prompt / prefill, decode: (tokens - 1) / decode }
}
