import { evaluateUserFile } from './user-file.js'

/**
 * Evaluates files that register parts of a model: towers, connectors, language models, chat templates (`docs/PARTS.md`).
 *
 * @throws {StreamError} `SETTING_INVALID`, or what a file itself throws.
 */
export async function loadParts(paths: readonly string[]): Promise<void> {
  for (const path of paths) await evaluateUserFile({ path, purpose: 'your parts', code: 'SETTING_INVALID' })
}
