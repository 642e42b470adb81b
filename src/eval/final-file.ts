import type { EvalFile, Score } from './benchmark.js'

/** The file that a script of the reference writes its score into. */
export function finalFile({ final }: Score): EvalFile {
  return { name: 'answers.jsonl', text: `${JSON.stringify(final)}\n` }
}
