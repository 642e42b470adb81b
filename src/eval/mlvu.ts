import { z } from 'zod'

import { accuracyByGroup, accuracyScore } from './accuracy.js'
import type { Benchmark, EvalFile, EvalSample, Judged } from './benchmark.js'
import type { DataFolder } from './data-folder.js'
import { pyavIndices } from './frames/pyav.js'
import { choicesOf } from './multiple-choice.js'
import { candidateLetter, candidateQuestion, candidateText, choiceJudge } from './questions.js'

/** The tasks in the order in which they are asked and told, each with its file and folder. */
const TASKS = [
  ['count', '4_count'],
  ['ego', '3_ego'],
  ['needle', '2_needle'],
  ['order', '5_order'],
  ['plotQA', '1_plotQA'],
  ['anomaly_reco', '6_anomaly_reco'],
  ['topic_reasoning', '7_topic_reasoning'],
] as const

const rowSchema = z.object({
  video: z.string(),
  question: z.string(),
  candidates: z.array(z.union([z.string(), z.number()])),
  answer: z.union([z.string(), z.number()]),
})

type Row = z.infer<typeof rowSchema>

/** A question, with what the reference's file says of it. */
interface MlvuSample extends EvalSample {
  readonly written: { readonly gt: string; readonly question: string; readonly question_type: string; readonly video: string }
}

/**
 * MLVU: `json/<task>.json` and `video/<task>/<video>`. Told by task, with the average of the tasks.
 * Source: TinyLLaVA-Video `eval/eval_mlvu.py`, `scripts/eval/mlvu.sh`.
 */
export const mlvu: Benchmark = {
  title: 'MLVU',
  budget: { kind: 'fixed', frames: 16 },
  maxNewTokens: 1024,
  read: async (data) => {
    const samples: MlvuSample[] = []
    for (const [task, name] of TASKS) {
      const rows = await data.json(`json/${name}.json`, z.array(rowSchema))
      samples.push(...rows.map((row, place) => sampleOf(row, data, { task, folder: name, id: `${task}/${place}` })))
    }
    return { samples, files: (judged) => [answersFile(judged, samples)] }
  },
  score,
}

function score(judged: readonly Judged[]): ReturnType<Benchmark['score']> {
  return accuracyScore(judged, 'task', 'groups')
}

function sampleOf(row: Row, data: DataFolder, { task, folder, id }: { task: string; folder: string; id: string }): MlvuSample {
  const question = candidateQuestion(row)
  return {
    id,
    group: task,
    media: {
      kind: 'video',
      path: data.path('video', folder, row.video),
      pixels: 'picture',
      plan: (facts, budget) => ({ indices: pyavIndices(facts, budget), question }),
    },
    judge: choiceJudge(choicesOf(row.candidates.map(String)), candidateLetter(row)),
    written: { gt: candidateLetter(row), question: candidateText(row), question_type: task, video: `/${folder}/${row.video}` },
  }
}

/** The file that the reference's script writes. */
function answersFile(judged: readonly Judged[], samples: readonly MlvuSample[]): EvalFile {
  const written = new Map(samples.map((sample) => [sample.id, sample.written]))
  const counts = accuracyByGroup(judged).map(({ group, correct, total }) => [group, [correct, total]] as const)
  const answers = judged.map(({ sample, verdict }) => ({ pred: verdict.predicted, ...written.get(sample.id) }))
  const content = { final_res: score(judged).final, acc_dict: Object.fromEntries(counts), res_list: answers }
  return { name: 'answers.jsonl', text: `${JSON.stringify(content)}\n` }
}
