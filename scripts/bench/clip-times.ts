import { z } from 'zod'

/** How long one clip took, by parts, and what it took of memory; what `clip.ts` and `peers/pytorch_clip.py` print. */
export const clipTimesSchema = z.object({
  /** Seconds from pictures to the tower's features, preprocessing included. */
  tower: z.number(),
  /** Seconds in the connector. */
  connector: z.number(),
  /** Seconds from the prompt to the first token. */
  prefill: z.number(),
  /** Seconds for all other tokens. */
  decode: z.number(),
  /** Seconds from pictures to the last token. */
  whole: z.number(),
  /** Most memory the process has had at once, loading the model included. */
  peakBytes: z.number(),
})

/** How long one clip took, by parts. */
export type ClipTimes = z.infer<typeof clipTimesSchema>
