import type { z } from 'zod'

import { StreamError } from './errors.js'

/**
 * Checks settings against their schema, and names every mistake at once, each with its path.
 *
 * Values are never shown: settings hold passwords and tokens.
 *
 * @param what Whose settings they are, e.g. `rtsp`.
 * @throws {StreamError} `SETTING_INVALID`.
 */
export function checkSettings<T>(what: string, schema: z.ZodType<T>, value: unknown): T {
  const checked = schema.safeParse(value)
  if (checked.success) return checked.data
  throw new StreamError('SETTING_INVALID', `${what}: ${describeMistakes(checked.error)}`)
}

/** Every mistake of a failed check on one line, each with its path. */
export function describeMistakes({ issues }: z.ZodError): string {
  return issues.map(({ path, message }) => `${pathOf(path)}${message}`).join('; ')
}

/** A path as it is written in code, e.g. `brokers[0]: `. */
function pathOf(path: readonly PropertyKey[]): string {
  if (path.length === 0) return ''
  const written = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('')
  return `\`${written.replace(/^\./, '')}\`: `
}
