import { z } from 'zod'

import { accuracyScore } from './accuracy.js'
import type { Benchmark, EvalFile, EvalSample, Judged } from './benchmark.js'
import type { DataFolder } from './data-folder.js'
import { decordIndices } from './frames/decord.js'
import { choiceJudge, LETTER_DIRECTLY } from './questions.js'

const FILE = 'validation.json'

const common = { id: z.string(), video: z.string(), question: z.string(), answer: z.string() }

const rowSchema = z.discriminatedUnion('question_type', [
  z.object({ ...common, question_type: z.literal('multiple-choice'), choices: z.record(z.string(), z.string()) }),
  z.object({ ...common, question_type: z.literal('open-ended') }),
])

type Row = z.infer<typeof rowSchema>

/** The front of a video's address, which stands for the benchmark's folder. */
const ADDRESS = 'https://huggingface.co/datasets/yale-nlp/MMVU/resolve/main'

/**
 * MMVU: `validation.json` and `videos/…`. Told by kind of question, with the average of all questions. An open answer
 * is right where it holds the expected one or is part of it, in any case; so an empty answer is right.
 * Source: TinyLLaVA-Video `eval/eval_mmvu.py`, `scripts/eval/mmvu.sh`.
 */
export const mmvu: Benchmark = {
  title: 'MMVU',
  budget: { kind: 'per-second', maxFrames: 64 },
  maxNewTokens: 1024,
  read: async (data) => {
    const rows = await data.json(FILE, z.array(rowSchema))
    return { samples: rows.map((row) => sampleOf(row, data)), files: (judged) => [answersFile(judged, rows, data)] }
  },
  score,
}

function score(judged: readonly Judged[]): ReturnType<Benchmark['score']> {
  return accuracyScore(judged, 'question type', 'questions')
}

function sampleOf(row: Row, data: DataFolder): EvalSample {
  const question = questionOf(row)
  return {
    id: row.id,
    group: row.question_type,
    media: {
      kind: 'video',
      path: pathOf(row, data),
      pixels: 'frame',
      plan: (facts, budget) => ({ indices: decordIndices(facts, budget), question }),
    },
    judge: row.question_type === 'open-ended' ? openJudge(row.answer) : choiceJudge(new Map(Object.entries(row.choices)), row.answer),
  }
}

function pathOf({ video }: Row, data: DataFolder): string {
  return data.path(video.startsWith(ADDRESS) ? video.slice(ADDRESS.length) : video)
}

function questionOf(row: Row): string {
  if (row.question_type === 'open-ended') return `<image>\n${row.question}\nAnswer the question directly without explanation.`
  const choices = Object.entries(row.choices).map(([letter, text]) => `${letter}. ${text}`)
  return `<image>\n${row.question}\n${choices.join('\n')}\n${LETTER_DIRECTLY}`
}

/** Lengths are counted in characters, as Python does it. */
function openJudge(expected: string): EvalSample['judge'] {
  return (answer) => {
    const [long, short] = Array.from(answer).length > Array.from(expected).length ? [answer, expected] : [expected, answer]
    return { predicted: answer, points: long.toLowerCase().includes(short.toLowerCase()) ? 1 : 0 }
  }
}

/** The file that the reference's script writes: the score, then a line a question. */
function answersFile(judged: readonly Judged[], rows: readonly Row[], data: DataFolder): EvalFile {
  const written = new Map(rows.map((row) => [row.id, { gt: row.answer, path: pathOf(row, data) }]))
  const lines = judged.map(({ sample, answer, verdict }) => ({ outputs: answer, pred: verdict.predicted, ...written.get(sample.id) }))
  return { name: 'answers.jsonl', text: [score(judged).final, ...lines].map((line) => `${JSON.stringify(line)}\n`).join('') }
}
