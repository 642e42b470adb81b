import { resolve } from 'node:path'

import { z } from 'zod'

import { expectText } from '../checks.js'
import { StreamError } from '../errors.js'
import { checkSettings } from '../settings.js'
import { JsonLinesRotation } from './json-lines-rotation.js'
import type { RotateOptions } from './json-lines-rotation.js'
import { LineFile } from './line-file.js'
import type { Sink, SinkContext } from './sink.js'

/** How `jsonLines` writes. */
export interface JsonLinesOptions {
  /** When the file is put aside for a new one. @default never */
  readonly rotate?: RotateOptions
  /** The clock, in milliseconds since 1970. @default Date.now */
  readonly now?: () => number
}

const optionsSchema = z.strictObject({
  rotate: z
    .strictObject({
      maxBytes: z.int().min(1).optional(),
      maxAgeMs: z.number().positive().optional(),
      keep: z.int().min(0).optional(),
      gzip: z.boolean().optional(),
    })
    .refine(({ maxBytes, maxAgeMs }) => maxBytes !== undefined || maxAgeMs !== undefined, {
      message: 'Expected `maxBytes`, `maxAgeMs` or both',
    })
    .optional(),
  now: z.custom((value) => value === undefined || typeof value === 'function', 'Expected a function').optional(),
})

/**
 * Appends each result to a file, as one line of JSON.
 *
 * - **open** opens the file, or makes it; its directory must be there. A last line that a crash cut off
 *   is closed first, so that the next result begins on a line of its own.
 * - **write** resolves when the whole line is handed to the operating system: the end of this process
 *   can't lose it any more.
 * - **close** lets a write that is under way finish, makes the file safe from a power cut (`fsync`), and closes it.
 * - A failed call (disk full, file gone) rejects with `SINK_FAILED` and its cause, which stops the pipeline.
 *   Nothing of a line that didn't fit stays in the file: the same result can be written again.
 *
 * With `rotate`, the file is put aside between two lines when the next would make it too long, or when it is
 * too old: `answers.jsonl` becomes `answers-2026-11-23T10-15-00.000Z.jsonl`, then `….jsonl.gz`. It is
 * renamed, never copied or cut: no line is lost or split, and whoever reads it reads on. An old file is
 * compressed and removed beside the writing; trouble with that is a notice, and is tried again at the next
 * rotation. Only files with such a name are ever removed.
 *
 * Keeps nothing in memory between two calls. One process a file: a second one would rotate it away.
 *
 * @example
 * ```ts
 * definePipeline({ …, sinks: [jsonLines('answers.jsonl', { rotate: { maxBytes: 100e6, keep: 30, gzip: true } })] })
 * ```
 *
 * @param path File to append to; relative to the working directory.
 * @param options When it is put aside.
 * @throws {StreamError} `SETTING_INVALID`.
 */
export function jsonLines(path: string, options: JsonLinesOptions = {}): Sink {
  const file = resolve(expectText('path', path))
  checkSettings('jsonLines', optionsSchema, options)
  const { rotate, now = Date.now } = options
  const rotation = rotate === undefined ? undefined : new JsonLinesRotation(file, rotate, now)
  let lines: LineFile | undefined
  let isOpen = false
  let writing: Promise<void> = Promise.resolve()

  const append = async (line: string): Promise<void> => {
    if (lines !== undefined && rotation?.isDue(lines, line) === true) {
      const full = lines
      lines = undefined
      await rotation.putAside(full)
    }
    // It is missing also after a rotation that failed half-way.
    lines ??= await LineFile.open(file, 'close')
    await lines.append(line)
  }

  return {
    kind: 'jsonLines',
    open: async (context?: SinkContext) => {
      lines = await LineFile.open(file, 'close')
      isOpen = true
      await rotation?.begin(lines, context)
    },
    write: async (result) => {
      if (!isOpen) throw new StreamError('SINK_FAILED', `Could not write to ${file}: it isn't open.`)
      const appending = append(`${JSON.stringify(result)}\n`)
      writing = appending.catch(() => undefined)
      await appending
    },
    close: async () => {
      isOpen = false
      // It may be about to open a new file, which nobody would close.
      await writing
      const closing = lines
      lines = undefined
      try {
        await closing?.sync()
      } finally {
        await closing?.close()
        await rotation?.end()
      }
    },
  }
}
