import { z } from 'zod'

import { pythonStrip } from '../../model/tokenizer/python-strip.js'
import type { Answerer, Benchmark, EvalMedia, EvalSample, Judged, Score } from '../benchmark.js'
import { percentOf } from '../accuracy.js'
import type { DataFolder } from '../data-folder.js'
import { percentText } from '../fixed.js'
import { LETTER_DIRECTLY } from '../questions.js'
import { answersFile, textPrompt, wholePrompt } from './vqa-lines.js'

const rowsSchema = z.array(
  z.object({ id: z.string(), image: z.string().optional(), conversations: z.array(z.object({ value: z.string() })).min(1) }),
)

const problemsSchema = z.record(z.string(), z.object({ choices: z.array(z.string()), answer: z.int() }))

type Row = z.infer<typeof rowsSchema>[number]

/** A picture, or nothing, and what is asked about it. */
type AskedMedia = Extract<EvalMedia, { readonly question: string }>

const OPTIONS = ['A', 'B', 'C', 'D', 'E']

/** What the reference takes an answer for that names no choice. */
const FAILED = 'FAILED'

/**
 * ScienceQA's test part: `llava_test_CQM-A.json`, `images/test/`, `problems.json`, `pid_splits.json`.
 *
 * Told are the share of all questions and of those with a picture. The others are asked of the language model alone.
 * Source: Factory `eval/model_vqa_science.py`, `eval/eval_science_qa.py`.
 */
export const scienceQa: Benchmark = {
  title: 'ScienceQA',
  maxNewTokens: 1024,
  read: async (data) => {
    const rows = await data.json('llava_test_CQM-A.json', rowsSchema)
    const problems = await data.json('problems.json', problemsSchema)
    const { test } = await data.json('pid_splits.json', z.object({ test: z.array(z.string()) }))
    const byId = new Map(rows.map((row) => [row.id, row]))
    const samples = test.map((id) => {
      const [row, problem] = [byId.get(id), problems[id]]
      if (row === undefined || problem === undefined) throw data.invalid('pid_splits.json', `there is no question or no problem ${id}`)
      return { id, group: row.image === undefined ? 'text' : 'picture', media: mediaOf(row, data), judge: judgeOf(problem) }
    })
    return {
      samples,
      files: (judged, answerer) => {
        const lines = judged.flatMap(({ sample: { id, media }, answer }) =>
          'question' in media ? [{ questionId: id, prompt: promptOf(media, answerer), text: answer }] : [],
        )
        return [answersFile(lines, answerer), { name: 'result.json', text: `${JSON.stringify(scoreOf(judged).final)}\n` }]
      },
    }
  },
  score: scoreOf,
}

function questionOf({ conversations, image }: Row): string {
  const question = pythonStrip((conversations[0]?.value ?? '').replaceAll('<image>', ''))
  return `${image === undefined ? '' : '<image>\n'}${question}\n${LETTER_DIRECTLY}`
}

function mediaOf(row: Row, data: DataFolder): AskedMedia {
  const question = questionOf(row)
  return row.image === undefined ? { kind: 'text', question } : { kind: 'picture', path: data.path('images/test', row.image), question }
}

function promptOf({ kind, question }: AskedMedia, answerer: Answerer): string {
  return kind === 'text' ? textPrompt(question, answerer) : wholePrompt(question, answerer)
}

function judgeOf({ choices, answer: right }: z.infer<typeof problemsSchema>[string]): EvalSample['judge'] {
  return (answer) => {
    const known = OPTIONS.slice(0, choices.length)
    const letter = letterIn(answer)
    return { predicted: known.includes(letter) ? letter : FAILED, points: known.indexOf(letter) === right ? 1 : 0 }
  }
}

/** The letter that an answer consists of, begins with or names in a sentence, if it does so once. */
function letterIn(answer: string): string {
  if (OPTIONS.includes(answer)) return answer
  if (OPTIONS.includes(answer.slice(0, 1)) && answer.slice(1, 3) === '. ') return answer.slice(0, 1)
  const named = [...answer.matchAll(/The answer is ([A-Z])./g)].map(([, letter]) => letter)
  return named.length === 1 ? (named[0] ?? FAILED) : FAILED
}

function scoreOf(judged: readonly Judged[]): Score {
  const pictures = judged.filter(({ sample }) => sample.media.kind === 'picture')
  const rows = [rowOf('all', judged), rowOf('with a picture', pictures)]
  const results = judged.map(({ sample, verdict }) => [sample.id, OPTIONS.indexOf(verdict.predicted)] as const)
  const [all, picture] = rows
  return {
    table: [['questions', 'correct', 'of', 'accuracy'], ...rows.map(({ name, correct, total, percent }) => [name, `${correct}`, `${total}`, percentText(percent)])],
    final: {
      acc: all?.percent,
      img_acc: picture?.percent,
      correct: all?.correct,
      count: all?.total,
      results: Object.fromEntries(results),
      outputs: Object.fromEntries(judged.map(({ sample, answer }) => [sample.id, answer])),
    },
  }
}

function rowOf(name: string, judged: readonly Judged[]) {
  const correct = judged.filter(({ verdict }) => verdict.points === 1).length
  return { name, correct, total: judged.length, percent: percentOf(correct, judged.length) }
}
