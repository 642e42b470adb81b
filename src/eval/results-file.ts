import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'

import { z } from 'zod'

import { StreamError } from '../errors.js'
import { LineFile } from '../sinks/line-file.js'
import { hasCode, sinkFailed } from '../sinks/sink-failed.js'

const headerSchema = z.object({
  kind: z.literal('evaluation'),
  version: z.literal(1),
  benchmark: z.string(),
  /** Of the bundle that answers. */
  model: z.object({ name: z.string(), digest: z.string() }),
  /** sha256 of the benchmark's annotations. */
  data: z.string(),
  frames: z.string(),
  maxNewTokens: z.number(),
  template: z.string(),
})

/** What was asked, of whom and how: the first line of a results file. Answers of another kind don't belong there. */
export type ResultsHeader = z.infer<typeof headerSchema>

const lineSchema = z.union([
  z.object({
    id: z.string(),
    answer: z.string(),
    predicted: z.string(),
    points: z.number().optional(),
    /** What was missing or repaired on the way to the answer; left out where nothing was. */
    degraded: z.array(z.string()).min(1).optional(),
  }),
  z.object({ id: z.string(), skipped: z.object({ code: z.string(), message: z.string() }) }),
])

/** One question: its answer, what that was taken for and what it is worth; or why it was passed over. */
export type ResultLine = z.infer<typeof lineSchema>

/** An answer as it is kept. */
export interface KeptAnswer {
  readonly answer: string
  /** Plain sentences: what was missing or repaired on the way to it. @default nothing was */
  readonly degraded?: readonly string[] | undefined
}

/** How a results file is opened. */
export interface OpenResultsOptions {
  readonly header: ResultsHeader
  /** Whether answers that are there are taken over. Without it the file must not be there. */
  readonly resume: boolean
}

/**
 * The answers of an evaluation, a line of JSON each behind a first line that says of what.
 *
 * A line that was appended is with the operating system, so the end of this process, whichever way, loses no answer
 * that was; a line that a crash cut off is taken away at the next opening.
 */
export class ResultsFile {
  readonly #lines: LineFile
  readonly #answers: Map<string, KeptAnswer>

  private constructor(lines: LineFile, answers: Map<string, KeptAnswer>) {
    this.#lines = lines
    this.#answers = answers
  }

  /**
   * Opens the file, or makes it.
   *
   * @throws {StreamError} `EVAL_RESULTS_EXIST`, `EVAL_RESULTS_DIFFER` (it is another benchmark's, model's, … or no
   *   results file), `SINK_FAILED`.
   */
  static async open(path: string, { header, resume }: OpenResultsOptions): Promise<ResultsFile> {
    if (!resume) await create(path)
    // It is looked at before anything of it is changed: it may be somebody's other file.
    const answers = resume && existsSync(path) ? await readAnswers(path, header) : new Map<string, KeptAnswer>()
    const lines = await LineFile.open(path, 'cut')
    const results = new ResultsFile(lines, answers)
    if (lines.bytes === 0) await results.#append(header)
    return results
  }

  /** The answers that are there, by the questions' ids. */
  get answers(): ReadonlyMap<string, KeptAnswer> {
    return this.#answers
  }

  async append(line: ResultLine): Promise<void> {
    await this.#append(line)
    if ('answer' in line) this.#answers.set(line.id, line)
  }

  /** Makes the file safe from a power cut, and closes it. */
  async close(): Promise<void> {
    try {
      await this.#lines.sync()
    } finally {
      await this.#lines.close()
    }
  }

  async #append(value: ResultLine | ResultsHeader): Promise<void> {
    await this.#lines.append(`${JSON.stringify(value)}\n`)
  }
}

/**
 * Checks that a results file is yet to be made: before a model is loaded for it.
 *
 * @throws {StreamError} `EVAL_RESULTS_EXIST`.
 */
export function expectNoResults(path: string): void {
  if (existsSync(path)) throw resultsExist(path)
}

/** Makes the file, of two runs for one of them only. */
async function create(path: string): Promise<void> {
  await writeFile(path, '', { flag: 'wx' }).catch((error: unknown) => {
    throw hasCode(error, 'EEXIST') ? resultsExist(path) : sinkFailed(`Could not make ${path}`, error)
  })
}

function resultsExist(path: string): StreamError {
  return new StreamError('EVAL_RESULTS_EXIST', `${path} is there already: go on with it by --resume, or name another file.`)
}

/** The answers of a file that was begun for the same. What stands behind its last line break was cut off by a crash. */
async function readAnswers(path: string, header: ResultsHeader): Promise<Map<string, KeptAnswer>> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw noResults(path, cause instanceof Error ? cause.message : String(cause))
  })
  const [first = '', ...rest] = text.split('\n')
  if (rest.length === 0) {
    // Of a file that isn't ours nothing may be cut off.
    if (!isBeginning(first)) throw noResults(path, 'its first line is none')
    return new Map()
  }
  expectSame(path, headerSchema.safeParse(parse(first)).data, header)
  return new Map(rest.slice(0, -1).flatMap((line) => answerIn(path, line)))
}

/** A question that was passed over is asked again. */
function answerIn(path: string, line: string): readonly (readonly [id: string, answer: KeptAnswer])[] {
  const value = lineSchema.safeParse(parse(line)).data
  if (value === undefined) throw noResults(path, 'a line is none of an evaluation')
  return 'answer' in value ? [[value.id, value]] : []
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

/** Whether a first line was cut off while it was written. */
function isBeginning(text: string): boolean {
  const opening = '{"kind":"evaluation"'
  return text.startsWith(opening) || opening.startsWith(text)
}

function expectSame(path: string, found: ResultsHeader | undefined, expected: ResultsHeader): void {
  if (found === undefined) throw noResults(path, 'its first line is none')
  const fields = ['benchmark', 'model', 'data', 'frames', 'maxNewTokens', 'template'] as const
  const differing = fields.filter((field) => valueOf(found[field]) !== valueOf(expected[field]))
  if (differing.length === 0) return
  const differences = differing.map((field) => `${field}: ${shown(found[field])} there, ${shown(expected[field])} here`)
  throw new StreamError('EVAL_RESULTS_DIFFER', `${path} holds answers to something else (${differences.join('; ')}). Name another file.`)
}

type Field = string | number | ResultsHeader['model']

/** Two bundles with one digest give the same answers, whatever they are called. */
function valueOf(field: Field): string | number {
  return typeof field === 'object' ? field.digest : field
}

function shown(field: Field): string {
  return typeof field === 'object' ? `${field.name} ${field.digest.slice(0, 12)}` : String(field).slice(0, 40)
}

function noResults(path: string, why: string): StreamError {
  return new StreamError('EVAL_RESULTS_DIFFER', `${path} is no results file: ${why}. Name another file.`)
}
