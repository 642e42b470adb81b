import { z } from 'zod'

import { accuracyScore } from './accuracy.js'
import type { Benchmark, EvalSample } from './benchmark.js'
import type { DataFolder } from './data-folder.js'
import { pyavIndices } from './frames/pyav.js'
import { type Choices, choicesOfOptions } from './multiple-choice.js'
import { choiceJudge, LETTER_DIRECTLY } from './questions.js'

const FILE = 'videomme/test-00000-of-00001.parquet'

const rowSchema = z.object({
  videoID: z.string(),
  duration: z.string(),
  question_id: z.string(),
  question: z.string(),
  options: z.array(z.string()),
  answer: z.string(),
})

type Row = z.infer<typeof rowSchema>

/** Lengths in the order in which they are told. */
const DURATIONS = ['short', 'medium', 'long']

/**
 * Video-MME: `videomme/test-00000-of-00001.parquet` and `data/<videoID>.mp4`. Told by length. The reference runs one
 * length at a time; here they are one run. Source: TinyLLaVA-Video `eval/eval_videomme.py`, `scripts/eval/videomme.sh`.
 */
export const videoMme: Benchmark = {
  title: 'Video-MME',
  budget: { kind: 'fixed', frames: 16 },
  maxNewTokens: 1024,
  read: async (data) => {
    const rows = await data.parquet(FILE, z.array(rowSchema))
    const inOrder = DURATIONS.flatMap((duration) => rows.filter((row) => row.duration === duration))
    return { samples: inOrder.map((row) => sampleOf(row, data)) }
  },
  score: (judged) => accuracyScore(judged, 'duration', 'none'),
}

function sampleOf(row: Row, data: DataFolder): EvalSample {
  const choices = expectChoices(row, data)
  const question = `<image>\n${row.question}\n${row.options.join('\n')}\n${LETTER_DIRECTLY}`
  return {
    id: row.question_id,
    group: row.duration,
    media: {
      kind: 'video',
      path: data.path('data', `${row.videoID}.mp4`),
      pixels: 'picture',
      plan: (facts, budget) => ({ indices: pyavIndices(facts, budget), question }),
    },
    judge: choiceJudge(choices, row.answer),
  }
}

function expectChoices({ options, question_id: id }: Row, data: DataFolder): Choices {
  const choices = choicesOfOptions(options)
  if (choices === undefined) throw data.invalid(FILE, `an option of question ${id} has no letter and full stop before it`)
  return choices
}
