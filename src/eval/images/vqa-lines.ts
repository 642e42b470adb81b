import { createHash } from 'node:crypto'
import { z } from 'zod'

import { IMAGE_MARKER, buildPrompt, buildTextPrompt } from '../../model/parts/templates/prompt.js'
import { templates } from '../../model/parts/templates/templates.js'
import type { Answerer, EvalFile, EvalSample, Judged } from '../benchmark.js'
import type { DataFolder } from '../data-folder.js'

const rowSchema = z.object({
  question_id: z.union([z.string(), z.number()]),
  image: z.string(),
  text: z.string(),
  category: z.string().optional(),
})

/** A line of a question file of LLaVA's. */
export type VqaRow = z.infer<typeof rowSchema>

/** A question of such a file, with what its answer is written under. */
export interface VqaSample extends EvalSample {
  readonly row: VqaRow
}

/** Where the questions and pictures of a benchmark lie. */
export interface VqaFiles {
  readonly questions: string
  readonly images: string
  /** @default no score: the answer stands for itself */
  readonly judge?: (row: VqaRow, place: number) => EvalSample['judge']
  /** @default 'all' */
  readonly groupOf?: (row: VqaRow) => string
}

/** Reads a question file: lines with `question_id`, `image` and `text`. */
export async function readVqaLines(data: DataFolder, files: VqaFiles): Promise<readonly VqaSample[]> {
  const { questions, images, judge = asItIs, groupOf = () => 'all' } = files
  const rows = await data.jsonLines(questions, rowSchema)
  return rows.map((row, place) => ({
    row,
    // Ids of questions are those of their pictures in some benchmarks, and come several times.
    id: `${row.question_id}/${place}`,
    group: groupOf(row),
    media: { kind: 'picture', path: data.path(images, row.image), question: `${IMAGE_MARKER}\n${row.text}` },
    judge: judge(row, place),
  }))
}

/** An answer that is scored elsewhere. */
export function asItIs(): EvalSample['judge'] {
  return (answer) => ({ predicted: answer })
}

/** What of an answer is written in the reference's answers file. */
export interface AnswerLine {
  readonly questionId: string | number
  readonly prompt: string
  readonly text: string
}

/**
 * An answers file as the Factory's `model_vqa*.py` write it: a line of JSON a question. `answer_id` is drawn by lot
 * there, and goes by the question and the model here; `model_id` is the bundle's name.
 */
export function answersFile(lines: readonly AnswerLine[], { model }: Answerer): EvalFile {
  const text = lines.map(({ questionId, prompt, text: answer }, place) => {
    const id = createHash('sha256').update(`${model} ${place} ${questionId}`).digest('base64url').slice(0, 22)
    const line = { question_id: questionId, prompt, text: answer, answer_id: id, model_id: model, metadata: {} }
    return `${JSON.stringify(line)}\n`
  })
  return { name: 'answers.jsonl', text: text.join('') }
}

/** The answers of a question file by their questions. */
export function vqaLines(judged: readonly Judged[], samples: readonly VqaSample[]): readonly (AnswerLine & { readonly row: VqaRow })[] {
  const rows = new Map(samples.map((sample) => [sample.id, sample.row]))
  return judged.flatMap(({ sample, answer }) => {
    const row = rows.get(sample.id)
    return row === undefined ? [] : [{ row, questionId: row.question_id, prompt: row.text, text: answer }]
  })
}

/** The whole prompt as the model is given it, `<image>` where the picture goes. */
export function wholePrompt(question: string, { template }: Answerer): string {
  const { before, after } = buildPrompt(templates.get(template), question)
  return `${before}${IMAGE_MARKER}${after}`
}

/** The same of a question without a picture. */
export function textPrompt(question: string, { template }: Answerer): string {
  return buildTextPrompt(templates.get(template), question).text
}

/** A file of one JSON value, for those who score elsewhere. */
export function uploadFile(content: unknown): EvalFile {
  return { name: 'upload.json', text: `${JSON.stringify(content)}\n` }
}
