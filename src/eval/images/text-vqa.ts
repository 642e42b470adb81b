import { z } from 'zod'

import type { Benchmark, Judged, Score } from '../benchmark.js'
import { percentText } from '../fixed.js'
import { processAnswer } from './answer-words.js'
import { answersFile, readVqaLines, vqaLines } from './vqa-lines.js'

const ANNOTATIONS = 'TextVQA_0.5.1_val.json'

const annotationsSchema = z.object({
  data: z.array(z.object({ image_id: z.string(), question: z.string(), answers: z.array(z.string()).length(10) })),
})

/** So many of the other people have to agree for a whole point. */
const AGREEING = 3

/**
 * TextVQA's validation part: `llava_textvqa_val_v051_ocr.jsonl`, `train_images/`, `TextVQA_0.5.1_val.json`. An answer
 * has as many points as people of ten gave it. Source: Factory `eval/model_vqa_loader.py`, `eval/eval_textvqa.py`,
 * `eval/m4c_evaluator.py`.
 */
export const textVqa: Benchmark = {
  title: 'TextVQA',
  maxNewTokens: 128,
  read: async (data) => {
    const { data: annotations } = await data.json(ANNOTATIONS, annotationsSchema)
    const answersOf = new Map(annotations.map(({ image_id: id, question, answers }) => [keyOf(id, question), answers]))
    const samples = await readVqaLines(data, {
      questions: 'llava_textvqa_val_v051_ocr.jsonl',
      images: 'train_images',
      judge: ({ question_id: id, text }) => {
        const question = questionIn(text)
        const answers = question === undefined ? undefined : answersOf.get(keyOf(id, question))
        if (answers === undefined) throw data.invalid(ANNOTATIONS, `there are no answers for a question about the picture ${id}`)
        return (answer) => ({ predicted: processAnswer(answer), points: pointsOf(processAnswer(answer), answers) })
      },
    })
    return { samples, files: (judged, answerer) => [answersFile(vqaLines(judged, samples), answerer)] }
  },
  score: scoreOf,
}

const keyOf = (id: string | number, question: string): string => `${id}\n${question.toLowerCase()}`

const OCR = 'Reference OCR token: '

/** The question alone, out of a prompt that may list words seen in the picture. */
function questionIn(prompt: string): string | undefined {
  if (prompt.startsWith('OCR tokens: ')) return /Question: (.*?) Short answer:/s.exec(prompt)?.[1]
  const lines = prompt.split('\n')
  if (prompt.includes(OCR) && lines.length === 3) return prompt.startsWith(OCR.trimEnd()) ? lines[1] : lines[0]
  return lines.length === 2 ? lines[0] : undefined
}

/** The mean, over the ten people, of what the answer scores by the other nine. */
function pointsOf(predicted: string, answers: readonly string[]): number {
  const given = answers.map(processAnswer)
  const shares = given.map((_, person) => Math.min(1, given.filter((answer, other) => other !== person && answer === predicted).length / AGREEING))
  // Somebody must have given it: the reference looks answers up among those.
  return given.includes(predicted) ? shares.reduce((sum, share) => sum + share, 0) / shares.length : 0
}

function scoreOf(judged: readonly Judged[]): Score {
  const sum = judged.reduce((total, { verdict }) => total + (verdict.points ?? 0), 0)
  const accuracy = sum / judged.length
  return {
    table: [['questions', 'accuracy'], [`${judged.length}`, percentText(100 * accuracy)]],
    final: { samples: judged.length, accuracy },
  }
}
