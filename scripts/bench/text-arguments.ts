import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'

import type { TextLength } from './text-times.js'

/** What the scripts that time a text are called with. */
export interface TextArguments extends TextLength {
  readonly bundle: string
  /** Counted texts, after one that isn't. */
  readonly repeats: number
  readonly threads: number
}

/** Reads `BUNDLE --prompt 600 --tokens 64 --repeats 3 --threads 2`. */
export function textArguments(): TextArguments {
  const { values, positionals: [bundle] } = parseArgs({
    allowPositionals: true,
    options: {
      prompt: { type: 'string', default: '600' },
      tokens: { type: 'string', default: '64' },
      repeats: { type: 'string', default: '3' },
      threads: { type: 'string', default: String(availableParallelism()) },
    },
  })
  if (bundle === undefined) throw new Error('Name a bundle.')
  const { prompt, tokens, repeats, threads } = values
  return { bundle, prompt: Number(prompt), tokens: Number(tokens), repeats: Number(repeats), threads: Number(threads) }
}

/** The arguments of a length, for a child process. */
export const lengthFlags = ({ prompt, tokens }: TextLength): readonly string[] => ['--prompt', String(prompt), '--tokens', String(tokens)]
