import { open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { resolve } from 'node:path'

import { expectText } from '../checks.js'
import { StreamError } from '../errors.js'
import type { Result } from '../envelope.js'
import type { Sink } from './sink.js'
import { hasCode, sinkFailed } from './sink-failed.js'

/**
 * Appends each result to a file, as one line of JSON.
 *
 * - **open** opens the file, or makes it; its directory must be there. A last line that a crash cut off
 *   is closed first, so that the next result begins on a line of its own.
 * - **write** resolves when the whole line is handed to the operating system: the end of this process
 *   can't lose it any more.
 * - **close** makes the file safe from a power cut (`fsync`), and closes it.
 * - A failed call (disk full, file gone) rejects with `SINK_FAILED` and its cause, which stops the pipeline.
 *
 * Keeps nothing in memory between two calls.
 *
 * @example
 * ```ts
 * definePipeline({ …, sinks: [jsonLines('answers.jsonl')] })
 * ```
 *
 * @param path File to append to; relative to the working directory.
 * @throws {StreamError} `SETTING_INVALID`.
 */
export function jsonLines(path: string): Sink {
  const file = resolve(expectText('path', path))
  let handle: FileHandle | undefined

  return {
    kind: 'jsonLines',
    open: async () => {
      handle = await open(file, 'a+').catch((error: unknown) => {
        throw sinkFailed(`Could not open ${file} for answers`, error)
      })
      if (await endsInHalfALine(handle)) await append(handle, file, '\n')
    },
    write: async (result: Result) => {
      if (handle === undefined) throw new StreamError('SINK_FAILED', `Could not write to ${file}: it isn't open.`)
      await append(handle, file, `${JSON.stringify(result)}\n`)
    },
    close: async () => {
      const closing = handle
      handle = undefined
      try {
        await closing?.sync().catch(ignoreIfNotSupported(file))
      } finally {
        await closing?.close()
      }
    },
  }
}

async function append(handle: FileHandle, file: string, line: string): Promise<void> {
  try {
    // Unlike `write`, which may stop half-way, this ends only when all is written.
    await handle.appendFile(line)
  } catch (error) {
    throw sinkFailed(`Could not write to ${file}`, error)
  }
}

async function endsInHalfALine(handle: FileHandle): Promise<boolean> {
  const stats = await handle.stat()
  if (!stats.isFile() || stats.size === 0) return false
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, stats.size - 1)
  return buffer.toString() !== '\n'
}

/** A pipe or a device has nothing to make safe. */
function ignoreIfNotSupported(file: string): (error: unknown) => void {
  return (error) => {
    if (!hasCode(error, 'EINVAL') && !hasCode(error, 'ENOTSUP')) throw sinkFailed(`Could not finish ${file}`, error)
  }
}
