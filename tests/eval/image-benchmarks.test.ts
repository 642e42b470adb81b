import { describe, expect, test } from 'vitest'
import { z } from 'zod'

import type { EvalData, EvalSample, Judged, Score } from '../../src/eval/benchmark.js'
import type { BenchmarkName } from '../../src/eval/benchmark-names.js'
import { findBenchmark } from '../../src/eval/benchmarks.js'
import { DataFolder } from '../../src/eval/data-folder.js'
import { processAnswer } from '../../src/eval/images/answer-words.js'
import { textPrompt, wholePrompt } from '../../src/eval/images/vqa-lines.js'
import { dataPath, readEvalGolden } from './goldens.js'

const lineSchema = z.object({
  question_id: z.union([z.string(), z.number()]),
  prompt: z.string().nullable(),
  text: z.string(),
  answer_id: z.string(),
  model_id: z.string().nullable(),
  metadata: z.object({}).strict(),
})

const goldenSchema = z.object({
  generate: z.object({ do_sample: z.literal(false), max_new_tokens: z.number() }),
  asked: z.array(z.object({ message: z.string(), prompt: z.string() })),
  runs: z.array(
    z.object({
      answers: z.array(z.string()),
      lines: z.array(lineSchema),
      printed: z.array(z.string()).optional(),
      file: z.unknown().optional(),
    }),
  ),
})

type Run = z.infer<typeof goldenSchema>['runs'][number]

const FOLDERS = {
  vqav2: 'vqav2',
  gqa: 'gqa',
  mme: 'MME',
  'mm-vet': 'mm-vet',
  textvqa: 'textvqa',
  pope: 'pope',
  sqa: 'scienceqa',
  mmmu: 'MMMU',
} as const satisfies Partial<Record<BenchmarkName, string>>

const names = Object.keys(FOLDERS) as (keyof typeof FOLDERS)[]

const answerer = { model: 'tiny-model', template: 'phi' }

const read = (name: keyof typeof FOLDERS): Promise<EvalData> => findBenchmark(name).read(new DataFolder(dataPath(FOLDERS[name])))

/** What the reference draws by lot when its goldens are made. */
const takeLast = (choices: readonly string[]): string => choices.at(-1) ?? ''

/** In the order of the question file: ScienceQA's samples come in the order of the test part. */
function inFileOrder(name: string, samples: readonly EvalSample[]): readonly EvalSample[] {
  return name === 'sqa' ? [...samples].sort((left, right) => Number(left.id) - Number(right.id)) : samples
}

/** The script's answers to the questions, in turn; where it asks none, what it makes up. */
function judgedOf(name: string, samples: readonly EvalSample[], answers: readonly string[]): readonly Judged[] {
  const given = [...answers]
  return inFileOrder(name, samples).map((sample) => {
    const answer = sample.media.kind === 'nothing' ? sample.media.answer(takeLast) : (given.shift() ?? '')
    return { sample, answer, verdict: sample.judge(answer, takeLast) }
  })
}

describe.each(names)('%s', (name) => {
  const golden = readEvalGolden(`${name}.json`, goldenSchema)

  test('asks the same questions with the same prompts', async () => {
    const samples = inFileOrder(name, (await read(name)).samples)
    expect(samples).toHaveLength(golden.asked.length)
    samples.forEach(({ media }, place) => {
      if (!('question' in media)) return
      expect(media.question).toBe(golden.asked[place]?.message)
      const prompt = media.kind === 'text' ? textPrompt(media.question, answerer) : wholePrompt(media.question, answerer)
      expect(prompt).toBe(golden.asked[place]?.prompt)
    })
    expect(findBenchmark(name).maxNewTokens).toBe(golden.generate.max_new_tokens)
  })

  test('writes the same answers file', async () => {
    const data = await read(name)
    for (const run of golden.runs) {
      const judged = judgedOf(name, data.samples, run.answers)
      const text = data.files?.(judged, answerer).find((file) => file.name === 'answers.jsonl')?.text ?? ''
      const lines = text.split('\n').slice(0, -1).map((line) => lineSchema.parse(JSON.parse(line)))
      expect(lines.map(({ question_id: id, text: answer }) => [id, answer])).toEqual(run.lines.map(({ question_id: id, text: answer }) => [id, answer]))
      if (name !== 'mmmu') expect(lines.map(({ prompt }) => prompt)).toEqual(run.lines.map(({ prompt }) => prompt))
      expect(new Set(lines.map((line) => line.answer_id)).size).toBe(lines.length)
      expect(new Set(lines.map((line) => line.model_id))).toEqual(new Set(['tiny-model']))
    }
  })
})

describe('what is handed in elsewhere is the same', () => {
  test.each(['vqav2', 'gqa', 'mm-vet', 'mmmu'] as const)('%s', async (name) => {
    const data = await read(name)
    for (const run of readEvalGolden(`${name}.json`, goldenSchema).runs) {
      const files = data.files?.(judgedOf(name, data.samples, run.answers), answerer) ?? []
      const upload = files.find((file) => file.name === 'upload.json')?.text ?? ''
      expect(JSON.parse(upload)).toEqual(run.file)
    }
  })
})

describe('the same answers have the same score', () => {
  const scored = async (name: keyof typeof FOLDERS, run: Run): Promise<Score> => {
    const { samples } = await read(name)
    return findBenchmark(name).score(judgedOf(name, samples, run.answers))
  }

  test('TextVQA', async () => {
    for (const run of readEvalGolden('textvqa.json', goldenSchema).runs) {
      const { table } = await scored('textvqa', run)
      const [, row] = table
      expect([`Samples: ${row?.[0] ?? ''}`, `Accuracy: ${row?.[1]?.replace(' ', '') ?? ''}`]).toEqual(run.printed?.slice(1, 3))
    }
  })

  test('POPE', async () => {
    for (const run of readEvalGolden('pope.json', goldenSchema).runs) {
      const { table } = await scored('pope', run)
      for (const [category = '', total = '', ...figures] of table.slice(1)) {
        const start = run.printed?.indexOf(`Category: ${category}, # samples: ${total}`) ?? -1
        const [, , counts, ...rest] = run.printed?.slice(start) ?? []
        expect(figures.slice(0, 4).join('\t')).toBe(counts)
        expect(figures.slice(4).join(', ')).toBe(rest[5])
      }
      expect(table).toHaveLength(4)
    }
  })

  test('POPE’s unrounded figures', async () => {
    for (const run of readEvalGolden('pope.json', goldenSchema).runs) {
      const { final } = await scored('pope', run)
      const values = (label: string) => run.printed?.filter((line) => line.startsWith(`${label}: `)).map((line) => Number(line.split(': ')[1])).sort()
      const ours = (field: string) => Object.values(final as Record<string, Record<string, number>>).map((figures) => figures[field]).sort()
      const fields = { Accuracy: 'accuracy', Precision: 'precision', Recall: 'recall', 'F1 score': 'f1', 'Yes ratio': 'yesRatio' }
      for (const [label, field] of Object.entries(fields)) expect(ours(field)).toEqual(values(label))
    }
  })

  test('ScienceQA: of all questions, and of those with a picture', async () => {
    for (const run of readEvalGolden('sqa.json', goldenSchema).runs) {
      const { table, final } = await scored('sqa', run)
      const [, all, pictures] = table
      const percent = (row: readonly string[] | undefined): string => row?.[3]?.replace(' ', '') ?? ''
      expect(run.printed).toEqual([
        `Total: ${all?.[2] ?? ''}, Correct: ${all?.[1] ?? ''}, Accuracy: ${percent(all)}, IMG-Accuracy: ${percent(pictures)}`,
      ])
      expect(final).toMatchObject(run.file as object)
      expect([all?.[2], pictures?.[2]]).toEqual(['12', '8'])
    }
  })
})

test('brings answers into the form of VQA’s server', () => {
  const table = readEvalGolden('words.json', z.array(z.tuple([z.string(), z.string()])))
  expect(table.length).toBeGreaterThan(250)
  expect(table.map(([text]) => [text, processAnswer(text)])).toEqual(table)
})
