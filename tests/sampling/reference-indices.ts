import { readFileSync } from 'node:fs'

import { z } from 'zod'

const Reference = z.object({
  /** `[total, n, indices]`; above 16 indices their SHA-256 instead, of the indices joined by `,`. */
  uniform: z.array(z.tuple([z.number(), z.number(), z.union([z.array(z.number()), z.string()])])),
  /** `[frames, fps, maxFrames, N]` */
  perSecond: z.array(z.tuple([z.number(), z.number(), z.number(), z.number()])),
})

/** What numpy and the reference's own script say; see `tests/reference/README.md`. */
export function readReferenceIndices(): z.infer<typeof Reference> {
  return Reference.parse(JSON.parse(readFileSync(new URL('../reference/indices.json', import.meta.url), 'utf8')))
}
