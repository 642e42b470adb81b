import { z } from 'zod'

import { accuracyScore } from './accuracy.js'
import type { Benchmark, EvalSample } from './benchmark.js'
import type { DataFolder } from './data-folder.js'
import { wholeStepIndices } from './frames/whole-steps.js'
import { interleave, longVideoQuestion } from './long-video-prompt.js'
import { choicesOf, choicesOfOptions, letterOf } from './multiple-choice.js'
import { choiceJudge } from './questions.js'
import { readSubtitles } from './subtitles.js'

const FILE = 'lvb_val.json'

const rowSchema = z.object({
  id: z.string(),
  question: z.string(),
  candidates: z.array(z.string()),
  correct_choice: z.int(),
  video_path: z.string(),
  subtitle_path: z.string(),
  starting_timestamp_for_subtitles: z.number(),
  duration: z.number(),
})

type Row = z.infer<typeof rowSchema>

/**
 * LongVideoBench's validation part: `lvb_val.json`, `videos/…`, `subtitles/…`. Subtitles stand in the question between
 * marks for the frames. Told as one number. Source: TinyLLaVA-Video `eval/eval_lvbench.py`, `eval/lvbenchdataset.py`,
 * `scripts/eval/lvbench.sh`.
 */
export const longVideoBench: Benchmark = {
  title: 'LongVideoBench',
  budget: { kind: 'fixed', frames: 16 },
  maxNewTokens: 1024,
  read: async (data) => {
    const rows = await data.json(FILE, z.array(rowSchema))
    return { samples: rows.map((row) => sampleOf(row, data)) }
  },
  score: (judged) => accuracyScore(judged, 'part', 'none'),
}

function sampleOf(row: Row, data: DataFolder): EvalSample {
  const { duration, starting_timestamp_for_subtitles: startsAt } = row
  const subtitlesFile = `subtitles/${row.subtitle_path}`
  const options = row.candidates.map((candidate, place) => `${letterOf(place)}. ${candidate}`)
  return {
    id: row.id,
    group: 'val',
    media: {
      kind: 'video',
      path: data.path('videos', row.video_path),
      pixels: 'picture',
      needs: [data.path(subtitlesFile)],
      plan: async ({ averageFps }, budget) => {
        // Read now: those of all videos together fill memory for nothing.
        const subtitles = await readSubtitles(data, subtitlesFile)
        const indices = wholeStepIndices({ seconds: duration, averageFps, budget })
        const times = indices.map((index) => index / averageFps)
        const { shown, question } = longVideoQuestion(interleave(times, subtitles, { startsAt, duration }), row.question, options)
        return { indices: indices.slice(0, shown), question }
      },
    },
    // Every option has its `. `, so that there are always choices.
    judge: choiceJudge(choicesOfOptions(options) ?? choicesOf(row.candidates), letterOf(row.correct_choice)),
  }
}
