import { z } from 'zod'

import type { Answerer, Benchmark, EvalFile, Score } from '../benchmark.js'
import type { DataFolder } from '../data-folder.js'
import { processAnswer } from './answer-words.js'
import { type AnswerLine, type VqaFiles, answersFile, readVqaLines, uploadFile, vqaLines, wholePrompt } from './vqa-lines.js'

/** A benchmark that is scored elsewhere, from a file. */
interface AnswersOnly extends VqaFiles {
  readonly title: string
  /** @default 128 */
  readonly maxNewTokens?: number
  /** The prompt that stands in the answers file. @default the question's text alone */
  readonly promptOf?: (line: AnswerLine, answerer: Answerer) => string
  /** Makes the file that is handed in; `data` is read before the first question. @default none */
  readonly upload?: (data: DataFolder) => Promise<(lines: readonly AnswerLine[]) => unknown>
}

/** Questions of a file, answers in a file, and a count instead of a score. */
function answersOnly({ title, maxNewTokens = 128, promptOf = ({ prompt }) => prompt, upload, ...files }: AnswersOnly): Benchmark {
  return {
    title,
    maxNewTokens,
    read: async (data) => {
      const samples = await readVqaLines(data, files)
      const convert = await upload?.(data)
      return {
        samples,
        files: (judged, answerer): readonly EvalFile[] => {
          const lines = vqaLines(judged, samples)
          const written = lines.map((line) => ({ ...line, prompt: promptOf(line, answerer) }))
          return [answersFile(written, answerer), ...(convert === undefined ? [] : [uploadFile(convert(lines))])]
        },
      }
    },
    score: (judged) => countOf(judged.length),
  }
}

/** Where nothing is scored here, how many were answered. */
export function countOf(answered: number): Score {
  return { table: [['answered'], [`${answered}`]], final: { answered } }
}

/**
 * VQAv2's test-dev part: answers for the evaluation server, of every question of the whole test part, empty where it
 * wasn't asked. Source: Factory `eval/model_vqa_loader.py`, `scripts/convert_vqav2_for_submission.py`.
 */
export const vqav2: Benchmark = answersOnly({
  title: 'VQAv2',
  questions: 'llava_vqav2_mscoco_test-dev2015.jsonl',
  images: 'test2015',
  upload: async (data) => {
    const all = await data.jsonLines('llava_vqav2_mscoco_test2015.jsonl', z.object({ question_id: z.union([z.string(), z.number()]) }))
    return (lines) => {
      const answers = new Map(lines.map(({ questionId, text }) => [questionId, processAnswer(text)]))
      return all.map(({ question_id: id }) => ({ question_id: id, answer: answers.get(id) ?? '' }))
    }
  },
})

/** GQA's balanced test-dev part. Source: Factory `eval/model_vqa_loader.py`, `scripts/convert_gqa_for_eval.py`. */
export const gqa: Benchmark = answersOnly({
  title: 'GQA',
  questions: 'llava_gqa_testdev_balanced.jsonl',
  images: 'images',
  upload: () =>
    Promise.resolve((lines) =>
      lines.map(({ questionId, text }) => ({ questionId, prediction: text.replace(/\.+$/, '').toLowerCase() })),
    ),
})

/** MME: its own tools score the answers file. Source: Factory `eval/model_vqa_loader.py`, `scripts/eval/mme.sh`. */
export const mme: Benchmark = answersOnly({
  title: 'MME',
  questions: 'llava_mme.jsonl',
  images: 'MME_Benchmark_release_version',
})

/** MM-Vet: a server scores it. Source: Factory `eval/model_vqa.py`, `scripts/convert_mmvet_for_eval.py`. */
export const mmVet: Benchmark = answersOnly({
  title: 'MM-Vet',
  questions: 'llava-mm-vet.jsonl',
  images: 'images',
  maxNewTokens: 1024,
  promptOf: ({ prompt }, answerer) => wholePrompt(`<image>\n${prompt}`, answerer),
  upload: () => Promise.resolve((lines) => Object.fromEntries(lines.map(({ questionId, text }) => [`v1_${questionId}`, text]))),
})
