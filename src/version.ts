import { createRequire } from 'node:module'

/** Version of this package, from its `package.json`. */
export function packageVersion(): string {
  // One folder up from `src` and from `dist` alike.
  const { version } = createRequire(import.meta.url)('../package.json') as { readonly version: string }
  return version
}
