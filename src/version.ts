import { createRequire } from 'node:module'

import { z } from 'zod'

const packageSchema = z.object({ version: z.string() })

/** Version of this package, from its `package.json`. */
export function packageVersion(): string {
  // One folder up from `src` and from `dist` alike.
  return packageSchema.parse(createRequire(import.meta.url)('../package.json')).version
}
