import { z } from 'zod'

import type { Benchmark, EvalMedia, EvalSample } from '../benchmark.js'
import type { DataFolder } from '../data-folder.js'
import type { Guess } from '../guess.js'
import { choiceJudge } from '../questions.js'
import { countOf } from './answers-only.js'
import { answersFile, asItIs, uploadFile } from './vqa-lines.js'

const common = { id: z.string(), prompt: z.string(), image: z.string().optional() }

const rowSchema = z.union([
  z.object({
    ...common,
    question_type: z.literal('multiple-choice'),
    all_choices: z.array(z.string()).min(1),
    index2ans: z.record(z.string(), z.string()),
  }),
  z.object({ ...common, question_type: z.string() }),
])

type Row = z.infer<typeof rowSchema>

/** What the reference answers an open question about several pictures. */
const SEVERAL_PICTURES = 'INVALID GENERATION FOR MULTIPLE IMAGE INPUTS'

/**
 * MMMU: `anns_for_eval.json`, `all_images/`. Its own tools score the file; of a question about several pictures the
 * reference guesses. Source: Factory `eval/model_vqa_mmmu.py`, `scripts/convert_answer_to_mmmu.py`.
 */
export const mmmu: Benchmark = {
  title: 'MMMU',
  maxNewTokens: 1024,
  read: async (data) => {
    const rows = await data.json('anns_for_eval.json', z.array(rowSchema))
    const prompts = new Map(rows.map(({ id, prompt }) => [id, prompt]))
    return {
      samples: rows.map((row) => ({ id: row.id, group: row.question_type, media: mediaOf(row, data), judge: judgeOf(row) })),
      files: (judged, answerer) => {
        const lines = judged.map(({ sample, verdict }) => ({ questionId: sample.id, prompt: prompts.get(sample.id) ?? '', text: verdict.predicted }))
        return [answersFile(lines, answerer), uploadFile(Object.fromEntries(lines.map(({ questionId, text }) => [questionId, text])))]
      },
    }
  },
  score: (judged) => countOf(judged.length),
}

function mediaOf(row: Row, data: DataFolder): EvalMedia {
  if (row.image !== undefined) return { kind: 'picture', path: data.path('all_images', row.image), question: `<image>\n${row.prompt}` }
  return { kind: 'nothing', answer: (guess: Guess) => ('all_choices' in row ? guess(row.all_choices) : SEVERAL_PICTURES) }
}

/** A letter at the beginning isn't enough here; else as in the video benchmarks. */
function judgeOf(row: Row): EvalSample['judge'] {
  if (!('all_choices' in row)) return asItIs()
  const choices = new Map(row.all_choices.map((letter) => [letter, row.index2ans[letter] ?? '']))
  // No score is made here: the right letter is for the benchmark's own tools.
  return (answer, guess) => ({ predicted: choiceJudge(choices, '', { byFirstLetter: false })(answer, guess).predicted })
}
