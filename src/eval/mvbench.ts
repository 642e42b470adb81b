import { z } from 'zod'

import { accuracyScore } from './accuracy.js'
import type { Benchmark, EvalMedia, EvalSample } from './benchmark.js'
import type { DataFolder } from './data-folder.js'
import { decordIndices } from './frames/decord.js'
import { type Bound, folderSegments, videoSegments } from './frames/segments.js'
import { finalFile } from './final-file.js'
import { choicesOf } from './multiple-choice.js'
import { MVBENCH_TASKS, type MvbenchTask } from './mvbench-tasks.js'
import { candidateLetter, candidateQuestion, choiceJudge } from './questions.js'

const rowSchema = z.object({
  video: z.string(),
  question: z.string(),
  candidates: z.array(z.union([z.string(), z.number()])),
  answer: z.union([z.string(), z.number()]),
  start: z.number().optional(),
  end: z.number().optional(),
})

type Row = z.infer<typeof rowSchema>

/**
 * MVBench: `json/<task>.json`, and videos below `video/` as `MVBENCH_TASKS` lists them. Told by task, with the average
 * of all questions. Source: TinyLLaVA-Video `eval/eval_mvbench.py`, `scripts/eval/mvbench.sh`.
 */
export const mvbench: Benchmark = {
  title: 'MVBench',
  budget: { kind: 'fixed', frames: 16 },
  maxNewTokens: 1024,
  read: async (data) => {
    const samples: EvalSample[] = []
    for (const task of MVBENCH_TASKS) {
      const file = `json/${task.file}`
      const rows = await data.json(file, z.array(rowSchema))
      samples.push(...rows.map((row, place) => sampleOf(row, { task, file, id: `${task.name}/${place}`, data })))
    }
    return { samples, files: (judged) => [finalFile(score(judged))] }
  },
  score,
}

function score(judged: Parameters<Benchmark['score']>[0]): ReturnType<Benchmark['score']> {
  return accuracyScore(judged, 'task', 'questions')
}

interface Place {
  readonly task: MvbenchTask
  readonly file: string
  readonly id: string
  readonly data: DataFolder
}

function sampleOf(row: Row, place: Place): EvalSample {
  return {
    id: place.id,
    group: place.task.name,
    media: mediaOf(row, place),
    judge: choiceJudge(choicesOf(row.candidates.map(String)), candidateLetter(row)),
  }
}

/** MP4 files are looked at whole, also where a stretch is named: the reference passes over it. */
function mediaOf(row: Row, place: Place): EvalMedia {
  const { task, data } = place
  const path = data.path('video', task.folder, row.video)
  const question = candidateQuestion(row)
  if (task.stored === 'folder') {
    const bound = boundOf(row, place)
    return { kind: 'folder', path, plan: (total, budget) => ({ indices: folderSegments(total, budget, bound), question }) }
  }
  const indicesOf = task.stored === 'whole' ? decordIndices : videoSegments
  return { kind: 'video', path, pixels: 'frame', plan: (facts, budget) => ({ indices: indicesOf(facts, budget), question }) }
}

function boundOf({ start, end }: Row, { file, id, data }: Place): Bound {
  if (start !== undefined && end !== undefined) return { start, end }
  throw data.invalid(file, `question ${id} has no \`start\` or no \`end\``)
}
