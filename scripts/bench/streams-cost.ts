import { z } from 'zod'

/** What streams cost; what `streams-run.ts` prints. Nothing up to a stream's first answer counts but in memory and delay. */
export const streamsCostSchema = z.object({
  /** Of all streams together. */
  mediaSeconds: z.number(),
  /** On all cores together, this process alone. */
  cpuSeconds: z.number(),
  answers: z.number(),
  /** Most memory the process has had at once. */
  peakBytes: z.number(),
  /** The longest that the event loop was late in 99 % of all looks. */
  loopDelayMs: z.number(),
})

/** What streams cost. */
export type StreamsCost = z.infer<typeof streamsCostSchema>
