import { z } from 'zod'

import type { Benchmark, Judged, Score } from '../benchmark.js'
import { fixed } from '../fixed.js'
import { answersFile, readVqaLines, vqaLines } from './vqa-lines.js'

const CATEGORIES = ['adversarial', 'popular', 'random']

/** Keeps a ratio of nothing from being a division by 0. */
const EPSILON = 1e-6

/**
 * POPE: whether an object is in the picture. `llava_pope_test.jsonl`, `val2014/`, and the labels in
 * `coco/coco_pope_<category>.json`, in the order of the questions. Source: Factory `eval/model_vqa_pope.py`, `eval/eval_pope.py`.
 */
export const pope: Benchmark = {
  title: 'POPE',
  maxNewTokens: 128,
  read: async (data) => {
    const labels = new Map<string, string[]>()
    for (const category of CATEGORIES) {
      const rows = await data.jsonLines(`coco/coco_pope_${category}.json`, z.object({ label: z.string() }))
      labels.set(category, rows.map(({ label }) => label))
    }
    const samples = await readVqaLines(data, {
      questions: 'llava_pope_test.jsonl',
      images: 'val2014',
      groupOf: ({ category = '' }) => category,
      // Questions of a category and its labels come in the same order.
      judge: ({ category = '' }) => {
        const label = labels.get(category)?.shift()
        if (label === undefined) throw data.invalid('llava_pope_test.jsonl', `there is no label for a question of \`${category}\``)
        return (answer) => ({ predicted: yesOrNo(answer), points: yesOrNo(answer) === (label === 'no' ? 'no' : 'yes') ? 1 : 0 })
      },
    })
    return { samples, files: (judged, answerer) => [answersFile(vqaLines(judged, samples), answerer)] }
  },
  score: (judged) => {
    const figures = CATEGORIES.map((category) => figuresOf(category, judged)).filter(({ total }) => total > 0)
    return { table: tableOf(figures), final: Object.fromEntries(figures.map(({ category, ...rest }) => [category, rest])) }
  },
}

/** No where the first sentence holds a `No`, `no` or `not`; else yes. */
function yesOrNo(answer: string): 'yes' | 'no' {
  const words = (answer.split('.')[0] ?? '').replaceAll(',', '').split(' ')
  return words.some((word) => word === 'No' || word === 'not' || word === 'no') ? 'no' : 'yes'
}

type Figures = ReturnType<typeof figuresOf>

function figuresOf(category: string, judged: readonly Judged[]) {
  const mine = judged.filter(({ sample }) => sample.group === category)
  const count = (predicted: 'yes' | 'no', points: 0 | 1): number =>
    mine.filter(({ verdict }) => verdict.predicted === predicted && verdict.points === points).length
  const [truePositive, falsePositive, trueNegative, falseNegative] = [count('yes', 1), count('yes', 0), count('no', 1), count('no', 0)]
  const precision = truePositive / (truePositive + falsePositive + EPSILON)
  const recall = truePositive / (truePositive + falseNegative + EPSILON)
  return {
    category,
    total: mine.length,
    ...{ truePositive, falsePositive, trueNegative, falseNegative },
    accuracy: (truePositive + trueNegative) / mine.length,
    ...{ precision, recall },
    f1: (2 * precision * recall) / (precision + recall + EPSILON),
    yesRatio: (truePositive + falsePositive) / mine.length,
  }
}

function tableOf(figures: readonly Figures[]): Score['table'] {
  const head = ['category', 'questions', 'TP', 'FP', 'TN', 'FN', 'F1', 'accuracy', 'precision', 'recall', 'yes ratio']
  const rows = figures.map(({ category, total, truePositive, falsePositive, trueNegative, falseNegative, f1, accuracy, precision, recall, yesRatio }) => [
    category,
    ...[total, truePositive, falsePositive, trueNegative, falseNegative].map(String),
    ...[f1, accuracy, precision, recall, yesRatio].map((value) => fixed(value, 3)),
  ])
  return [head, ...rows]
}
