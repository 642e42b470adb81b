import { convertCheckpoint } from '../model/convert.js'
import type { ConvertOptions } from '../model/convert.js'
import { onInterrupt } from './interrupt.js'
import { createProgress } from './progress.js'
import type { Reporter } from './reporter.js'

/** What can be said beside the checkpoint. */
export interface ConvertFlags extends Omit<ConvertOptions, 'name' | 'signal' | 'onProgress'> {
  readonly out: string
}

/** Converts a checkpoint and prints the bundle's folder. Ctrl-C removes what was written so far. */
export async function convert(checkpoint: string, flags: ConvertFlags, reporter: Reporter): Promise<void> {
  const { out, ...options } = flags
  const progress = createProgress('converting')
  const abort = new AbortController()
  const forget = onInterrupt(reporter, 'stopping: removing what was written so far', () => {
    abort.abort()
  })
  try {
    const manifest = await convertCheckpoint(checkpoint, out, {
      ...options,
      signal: abort.signal,
      onProgress: progress.update,
    })
    progress.end()
    reporter.detail(`${manifest.name}: ${Object.keys(manifest.files).length} files, source ${manifest.sourceDigest}`)
    process.stdout.write(`${out}\n`)
  } finally {
    progress.end()
    forget()
  }
}
