import { describe, expect, test } from 'vitest'
import { z } from 'zod'

import type { EvalSample, FramePlan, Judged, Score } from '../../src/eval/benchmark.js'
import type { BenchmarkName } from '../../src/eval/benchmark-names.js'
import { findBenchmark } from '../../src/eval/benchmarks.js'
import { DataFolder } from '../../src/eval/data-folder.js'
import { fixed } from '../../src/eval/fixed.js'
import type { FrameBudget } from '../../src/eval/frames/frame-budget.js'
import { qwen2Base } from '../../src/model/parts/templates/qwen2-base.js'
import { buildPrompt } from '../../src/model/parts/templates/prompt.js'
import { budgetFields, budgetOf, dataPath, factsOf, readEvalGolden, streamSchema } from './goldens.js'

const goldenSchema = z.object({
  streams: z.record(z.string(), streamSchema),
  asked: z.array(
    z.object({
      ...budgetFields,
      generate: z.object({ do_sample: z.literal(false), max_new_tokens: z.number() }),
      questions: z.array(z.object({ message: z.string(), prompt: z.string(), frames: z.array(z.number()), isPillow: z.boolean() })),
    }),
  ),
  runs: z.array(
    z.object({
      answers: z.array(z.string()),
      predicted: z.array(z.string()),
      guessed: z.array(z.number()),
      printed: z.array(z.string()),
      file: z.array(z.record(z.string(), z.unknown())).nullable(),
    }),
  ),
})

/** The reference's runs: one for each length of Video-MME. */
const RUNS = [
  ['video-mme', 'video-mme-short', 'short'],
  ['video-mme', 'video-mme-medium', 'medium'],
  ['video-mme', 'video-mme-long', 'long'],
  ['mvbench', 'mvbench', undefined],
  ['mlvu', 'mlvu', undefined],
  ['mmvu', 'mmvu', undefined],
  ['longvideobench', 'longvideobench', undefined],
] as const satisfies readonly (readonly [BenchmarkName, string, string | undefined])[]

async function samplesOf(name: BenchmarkName, group: string | undefined): Promise<readonly EvalSample[]> {
  const { samples } = await findBenchmark(name).read(new DataFolder(dataPath(name)))
  return samples.filter((sample) => group === undefined || sample.group === group)
}

/** Pictures that a made-up folder holds. */
const FOLDER_FRAMES = 25

type Golden = z.infer<typeof goldenSchema>

/** What a sample wants of its made-up video. */
async function planOf({ media }: EvalSample, name: BenchmarkName, { streams }: Golden, budget: FrameBudget): Promise<FramePlan> {
  if (media.kind === 'folder') return media.plan(FOLDER_FRAMES, budget)
  if (media.kind !== 'video') throw new Error(`A video benchmark shows ${media.kind}.`)
  const stream = streams[media.path.slice(dataPath(name).length + 1)]
  if (stream === undefined) throw new Error(`The reference did not open ${media.path}.`)
  return await media.plan(factsOf(stream), budget)
}

/** What the reference draws by lot when its goldens are made. */
const takeLast = (choices: readonly string[]): string => choices.at(-1) ?? ''

function judgedOf(samples: readonly EvalSample[], answers: readonly string[]): readonly Judged[] {
  return samples.map((sample, place) => {
    const answer = answers[place] ?? ''
    return { sample, answer, verdict: sample.judge(answer, takeLast) }
  })
}

describe.each(RUNS)('%s: %s', (name, file, group) => {
  const golden = readEvalGolden(`${file}.json`, goldenSchema)

  test('asks the same questions, with the same prompt, about the same frames', async () => {
    const samples = await samplesOf(name, group)
    expect(golden.asked).toHaveLength(4)
    for (const asked of golden.asked) {
      const ours = samples.map(async (sample) => {
        const { indices, question } = await planOf(sample, name, golden, budgetOf(asked))
        const { before, after } = buildPrompt(qwen2Base, question)
        const isPillow = sample.media.kind !== 'video' || sample.media.pixels === 'picture'
        return { message: question, prompt: `${before}<image>${after}`, frames: indices, isPillow }
      })
      expect(await Promise.all(ours)).toEqual(asked.questions)
    }
  })

  test('answers are as long at most, and by default as many frames are looked at, as in the reference’s script', () => {
    const { maxNewTokens, budget } = findBenchmark(name)
    expect(new Set(golden.asked.map(({ generate }) => generate.max_new_tokens))).toEqual(new Set([maxNewTokens]))
    expect(budget).toEqual(name === 'mmvu' ? { kind: 'per-second', maxFrames: 64 } : { kind: 'fixed', frames: 16 })
  })

  test('takes odd answers for the same, and scores them the same', async () => {
    const samples = await samplesOf(name, group)
    for (const run of golden.runs) {
      const judged = judgedOf(samples, run.answers)
      expect(judged.map(({ verdict }) => verdict.predicted)).toEqual(run.predicted)
      const score = findBenchmark(name).score(judged)
      expect(linesOf(name, score)).toEqual(run.printed)
      const written = run.file?.[0]
      const final = name === 'mlvu' ? written?.final_res : written
      if (final !== undefined) expect(score.final).toEqual(final)
    }
  })
})

/** The line that the reference prints at the end. */
function linesOf(name: BenchmarkName, { table, final }: Score): readonly string[] {
  const rows = table.slice(1)
  const [first] = rows
  const accuracy = (row: readonly string[] | undefined): string => (row?.[3] ?? '').replace(' %', '%')
  switch (name) {
    case 'video-mme':
      return [`${first?.[0] ?? ''} Acc: ${accuracy(first)}`, `${first?.[0] ?? ''} num: ${first?.[2] ?? ''}`]
    case 'longvideobench':
      return [`val correct: ${accuracy(first)}`]
    case 'mlvu': {
      // It prints the share of all questions, and writes the average of the tasks.
      const [correct, total] = [1, 2].map((column) => Number(rows.at(-1)?.[column]))
      expect(accuracy(rows.at(-1))).toBe(`${fixed(final.Avg as number, 2)}%`)
      return [`Overall  Acc: ${fixed(((correct ?? 0) / (total ?? 1)) * 100, 2)}%`]
    }
    default:
      return [`Total Acc: ${accuracy(rows.at(-1))}`]
  }
}

test('the files that the reference’s scripts write are the same', async () => {
  for (const name of ['mvbench', 'mlvu', 'mmvu'] as const) {
    const [run] = readEvalGolden(`${name}.json`, goldenSchema).runs
    const data = await findBenchmark(name).read(new DataFolder(dataPath(name)))
    const files = data.files?.(judgedOf(data.samples, run?.answers ?? []), { model: 'm', template: 'phi' }) ?? []
    expect(files.map((file) => file.name)).toEqual(['answers.jsonl'])
    const ours = (files[0]?.text ?? '').split('\n').slice(0, -1).map((line) => JSON.parse(line) as Record<string, unknown>)
    // The reference writes paths as they were given to it, here those of a scratch folder.
    const inFolder = ({ path, ...rest }: Record<string, unknown>) => ({ ...rest, ...(typeof path === 'string' && { path: path.replace(/^.*(?=\/videos\/)/, '') }) })
    expect(ours.map(inFolder)).toEqual(run?.file?.map(inFolder))
    // The order of fields, too.
    expect(ours.map((line) => Object.keys(line))).toEqual(run?.file?.map((line) => Object.keys(line)))
  }
})
