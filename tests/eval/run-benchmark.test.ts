import { existsSync, linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { beforeAll, describe, expect, test } from 'vitest'

import { StreamError } from '../../src/errors.js'
import { type RunBenchmarkOptions, runBenchmark } from '../../src/eval/run-benchmark.js'
import type { Model, Pixels } from '../../src/model/model.js'
import { benchmarkNames } from '../../src/eval/benchmark-names.js'
import { findBenchmark } from '../../src/eval/benchmarks.js'
import { DataFolder } from '../../src/eval/data-folder.js'
import { createInstantModel } from '../operators/fakes.js'
import { Miniatures } from './miniature.js'

const miniatures = new Miniatures()
beforeAll(() => miniatures.draw())

let files = 0
const newResults = (): string => join(miniatures.path, `results-${(files += 1)}.jsonl`)

/** A fake model that answers at once, and remembers what it was shown and asked. */
interface NotingModel extends Model {
  readonly shown: Pixels['kind'][][]
  readonly asked: string[]
  readonly settings: unknown[]
}

function createNotingModel(answerTo: (question: string) => string = () => 'B'): NotingModel {
  const instant = createInstantModel()
  const [shown, asked, settings]: [Pixels['kind'][][], string[], unknown[]] = [[], [], []]
  return {
    ...instant,
    info: { ...instant.info, template: 'phi' },
    ...{ shown, asked, settings },
    encode: (pictures, options) => {
      shown.push(pictures.map(({ kind }) => kind))
      return instant.encode(pictures, options)
    },
    generate: async (visual, question, options) => {
      asked.push(question)
      settings.push({ maxNewTokens: options?.maxNewTokens, temperature: options?.temperature })
      return { ...(await instant.generate(visual, question, options)), text: answerTo(question) }
    },
  }
}

const run = async (benchmark: RunBenchmarkOptions['benchmark'], data: string, options: Partial<RunBenchmarkOptions> = {}) =>
  runBenchmark({ benchmark, data, results: newResults(), model: createNotingModel(), ...options })

const linesOf = (path: string): unknown[] => readFileSync(path, 'utf8').split('\n').slice(0, -1).map((line) => JSON.parse(line) as unknown)

describe('each benchmark goes from its own files to a score', () => {
  test.each([
    ['video-mme', 'video-mme', 12, 16 * 4, 'picture'],
    ['mvbench', 'mvbench', 60, undefined, undefined],
    ['mlvu', 'mlvu', 22, 16 * 22, 'picture'],
    ['longvideobench', 'longvideobench', 8, undefined, 'picture'],
    ['pope', 'pope', 21, 21, 'picture'],
    ['textvqa', 'textvqa', 12, 12, 'picture'],
    ['sqa', 'scienceqa', 12, 8, 'picture'],
  ] as const)('%s', async (name, folder, questions, frames, kind) => {
    const model = createNotingModel()
    const data = await miniatures.copy(name, folder)
    const { answered, skipped, score } = await run(name, data, { model })
    expect([answered, skipped]).toEqual([questions, []])
    expect(score.table.length).toBeGreaterThan(1)
    const shown = model.shown.flat()
    // Questions about one video share its frames; a picture is shown for each.
    if (frames !== undefined) expect(shown.length).toBeLessThanOrEqual(frames)
    if (kind !== undefined) expect(new Set(shown)).toEqual(new Set([kind]))
    expect(model.asked).toHaveLength(questions)
    expect(new Set(model.settings.map((one) => JSON.stringify(one))).size).toBe(1)
  })

  test('MMVU looks at one frame a second, as decoded frames, and takes other numbers', async () => {
    const data = await miniatures.copy('mmvu', 'mmvu')
    const [each, three] = [createNotingModel(), createNotingModel()]
    await run('mmvu', data, { model: each })
    await run('mmvu', data, { model: three, frames: { kind: 'fixed', frames: 3 } })
    expect(new Set(each.shown.flat())).toEqual(new Set(['frame']))
    expect(three.shown.flat()).toHaveLength(3 * 6)
    expect(each.settings[0]).toEqual({ maxNewTokens: 1024, temperature: 0 })
  })
})

describe('a run that was ended goes on', () => {
  test('asks only what was not answered, and scores all as one run would', async () => {
    const data = await miniatures.copy('mlvu', 'mlvu')
    const whole = await run('mlvu', data)

    const results = newResults()
    const stop = new AbortController()
    const first = createNotingModel()
    const onQuestion = ({ done }: { done: number }): void => {
      if (done === 5) stop.abort()
    }
    await expect(run('mlvu', data, { model: first, results, signal: stop.signal, onQuestion })).rejects.toMatchObject({ code: 'ABORTED' })
    expect(first.asked).toHaveLength(5)

    const second = createNotingModel()
    const seen: number[] = []
    const rest = await run('mlvu', data, { model: second, results, resume: true, onQuestion: ({ done }) => seen.push(done) })
    expect(second.asked).toHaveLength(22 - 5)
    expect([seen[0], seen.at(-1)]).toEqual([5, 22])
    expect(rest.score).toEqual(whole.score)
  })

  test('a question that failed ends the run after the answers beside it, and is asked again', async () => {
    const data = await miniatures.copy('video-mme', 'video-mme')
    const results = newResults()
    const failing = createNotingModel((question) => {
      if (question.includes('first first first')) throw new StreamError('PROMPT_TOO_LONG', 'It is too long.')
      return 'A'
    })
    const running = run('video-mme', data, { model: failing, results })
    await expect(running).rejects.toMatchObject({ code: 'PROMPT_TOO_LONG', message: expect.stringMatching(/^Question \S+: It is too long\.$/) as string })
    expect(linesOf(results)).toHaveLength(1 + 2)
    const { answered } = await run('video-mme', data, { results, resume: true })
    expect(answered).toBe(12)
  })

  test('questions that failed are passed over by themselves with skipMissing', async () => {
    const data = await miniatures.copy('video-mme', 'video-mme')
    const results = newResults()
    const failing = createNotingModel((question) => {
      if (question.includes('first first first')) throw new StreamError('PROMPT_TOO_LONG', 'It is too long.')
      return 'A'
    })
    const { answered, skipped } = await run('video-mme', data, { model: failing, results, skipMissing: true })
    // One of each of the four videos.
    expect([answered, skipped.length]).toEqual([8, 4])
    for (const { id, error } of skipped) {
      const message = `Question ${id}: It is too long.`
      expect(error).toMatchObject({ code: 'PROMPT_TOO_LONG', message, cause: { message: 'It is too long.' } })
      expect(linesOf(results)).toContainEqual({ id, skipped: { code: 'PROMPT_TOO_LONG', message } })
    }
  })

  test('a model whose worker died ends the run, also with skipMissing', async () => {
    const data = await miniatures.copy('mmvu', 'mmvu')
    const dying = createNotingModel(() => {
      throw new StreamError('MODEL_WORKER_DIED', 'It died.')
    })
    const message = 'Question validation_0: It died.'
    await expect(run('mmvu', data, { model: dying, skipMissing: true })).rejects.toMatchObject({ code: 'MODEL_WORKER_DIED', message })
  })

  test('an error while encoding says at which question, and is passed over with skipMissing', async () => {
    const data = await miniatures.copy('mmvu', 'mmvu')
    /** A run whose fake model can't encode the frames of the second video. */
    const failing = (code: 'MODEL_FAILED' | 'MODEL_WORKER_DIED', skipMissing: boolean) => {
      const model = createNotingModel()
      let asked = 0
      const encode: Model['encode'] = (...input) => (asked === 1 ? Promise.reject(new StreamError(code, 'It broke.')) : model.encode(...input))
      const onQuestion = ({ done }: { done: number }): void => {
        asked = done
      }
      return run('mmvu', data, { model: { ...model, encode }, skipMissing, onQuestion, limit: 3 })
    }
    const message = 'Question validation_1: It broke.'
    await expect(failing('MODEL_FAILED', false)).rejects.toMatchObject({ code: 'MODEL_FAILED', message })
    await expect(failing('MODEL_WORKER_DIED', true)).rejects.toMatchObject({ code: 'MODEL_WORKER_DIED', message })
    const { answered, skipped } = await failing('MODEL_FAILED', true)
    expect([answered, skipped.map(({ id, error }) => [id, error.message])]).toEqual([2, [['validation_1', message]]])
  })

  test('guesses are the same at every run', async () => {
    const data = await miniatures.copy('longvideobench', 'longvideobench')
    const model = () => createNotingModel(() => 'maybe')
    const [one, two] = [await run('longvideobench', data, { model: model() }), await run('longvideobench', data, { model: model() })]
    expect(one.score).toEqual(two.score)
  })
})

describe('missing and broken videos', () => {
  test('missing ones are told of before a model is asked for', async () => {
    const data = await miniatures.copy('mmvu', 'mmvu')
    rmSync(join(data, 'videos/Shapes/4.mp4'))
    const running = run('mmvu', data, { model: 'no-such-bundle' })
    await expect(running).rejects.toMatchObject({ code: 'EVAL_DATA_NOT_FOUND', message: expect.stringMatching(/^1 of 6 .*4\.mp4/) as string })
  })

  test('skipMissing leaves them and broken ones out of the score, and a later run asks them', async () => {
    const data = await miniatures.copy('mmvu', 'mmvu')
    rmSync(join(data, 'videos/Shapes/4.mp4'))
    rmSync(join(data, 'videos/Shapes/1.mp4'))
    writeFileSync(join(data, 'videos/Shapes/1.mp4'), 'no video')
    const results = newResults()
    const { answered, skipped } = await run('mmvu', data, { results, skipMissing: true })
    expect([answered, skipped.map(({ id, error }) => [id, error.code])]).toEqual([
      4,
      [
        ['validation_1', expect.stringMatching(/^VIDEO_/)],
        ['validation_4', 'VIDEO_NOT_FOUND'],
      ],
    ])
    const again = await run('mmvu', data, { results, skipMissing: true, resume: true })
    expect(again.skipped).toHaveLength(2)
  })

  test('a folder of pictures that is missing is passed over, too', async () => {
    const data = await miniatures.copy('mvbench', 'mvbench')
    const { samples } = await findBenchmark('mvbench').read(new DataFolder(data))
    const folders = [...new Set(samples.flatMap(({ media }) => (media.kind === 'folder' ? [media.path] : [])))]
    const [gone = '', file = ''] = folders
    const limit = samples.findIndex(({ media }) => 'path' in media && media.path === file) + 1
    rmSync(gone, { recursive: true })
    rmSync(file, { recursive: true })
    writeFileSync(file, 'no folder')
    const { answered, skipped } = await run('mvbench', data, { skipMissing: true, limit })
    expect(answered + skipped.length).toBe(limit)
    expect(new Set(skipped.map(({ error }) => error.code))).toEqual(new Set(['VIDEO_NOT_FOUND']))
    for (const path of [gone, file]) expect(skipped.map(({ error }) => error.message).join('\n')).toContain(`folder of pictures ${path},`)
  })

  test('ended while one is found missing, the run passes none over', async () => {
    const data = await miniatures.copy('mmvu', 'mmvu')
    rmSync(join(data, 'videos/Shapes/0.mp4'))
    const results = newResults()
    const stop = new AbortController()
    // The first step is told of right before the first file is looked for, which takes longer than a microtask.
    const onQuestion = (): void => {
      queueMicrotask(() => {
        stop.abort()
      })
    }
    await expect(run('mmvu', data, { results, skipMissing: true, signal: stop.signal, onQuestion })).rejects.toMatchObject({ code: 'ABORTED' })
    expect(linesOf(results)).toHaveLength(1)
  })

  test('a decoder that died says nothing of the video: it ends the run', async () => {
    const data = await miniatures.copy('mmvu', 'mmvu')
    const results = newResults()
    const died = new StreamError('VIDEO_DECODER_FAILED', 'ffmpeg died.')
    const model: Model = { ...createNotingModel(), encode: () => Promise.reject(died) }
    await expect(run('mmvu', data, { model, results, skipMissing: true })).rejects.toMatchObject({ code: 'VIDEO_DECODER_FAILED' })
    expect(linesOf(results)).toHaveLength(1)
  })

  test('one that is shorter than the annotations say is another video', async () => {
    const data = await miniatures.copy('longvideobench', 'longvideobench')
    rmSync(join(data, 'videos/clip-1.mp4'))
    linkSync(join(miniatures.path, 'short.mp4'), join(data, 'videos/clip-1.mp4'))
    const message = expect.stringMatching(/clip-1\.mp4 .*frame \d+ is looked at, and there is none/) as string
    await expect(run('longvideobench', data)).rejects.toMatchObject({ code: 'EVAL_VIDEO_DIFFERS', message })
    const { answered, skipped } = await run('longvideobench', data, { skipMissing: true })
    expect([answered, skipped.length]).toEqual([6, 2])
  })

  test('what one question wants of a video that it doesn’t hold is no fault of the next', async () => {
    const data = await miniatures.copy('longvideobench', 'longvideobench')
    const rows = JSON.parse(readFileSync(join(data, 'lvb_val.json'), 'utf8')) as { id: string; duration: number }[]
    const changed = rows.map((row) => (row.id === 'clip-1_0' ? { ...row, duration: 5000 } : row))
    writeFileSync(join(data, 'lvb_val.json'), JSON.stringify(changed))
    const { answered, skipped } = await run('longvideobench', data, { skipMissing: true })
    expect([answered, skipped.map(({ id, error }) => [id, error.code])]).toEqual([7, [['clip-1_0', 'EVAL_VIDEO_DIFFERS']]])
  })

  test('subtitles are looked for before a model is, and read when their question is reached', async () => {
    const data = await miniatures.copy('longvideobench', 'longvideobench')
    writeFileSync(join(data, 'subtitles/clip-2_en.json'), 'no JSON')
    expect(await run('longvideobench', data, { limit: 2 })).toMatchObject({ answered: 2 })
    const message = expect.stringMatching(/^Question clip-2_0: .*clip-2_en\.json/) as string
    await expect(run('longvideobench', data)).rejects.toMatchObject({ code: 'EVAL_DATA_INVALID', message })

    rmSync(join(data, 'subtitles/clip-2_en.json'))
    await expect(run('longvideobench', data, { model: 'no-such-bundle' })).rejects.toMatchObject({ code: 'EVAL_DATA_NOT_FOUND' })
    const { answered, skipped } = await run('longvideobench', data, { skipMissing: true })
    expect([answered, new Set(skipped.map(({ error }) => error.code))]).toEqual([6, new Set(['EVAL_DATA_NOT_FOUND'])])
  })

  test('a broken one ends the run without skipMissing', async () => {
    const data = await miniatures.copy('mmvu', 'mmvu')
    rmSync(join(data, 'videos/Shapes/0.mp4'))
    writeFileSync(join(data, 'videos/Shapes/0.mp4'), '')
    await expect(run('mmvu', data)).rejects.toMatchObject({ code: 'VIDEO_EMPTY' })
  })
})

describe('an answer to less than was to be shown', () => {
  /** A fake model that cuts the prompts of one question. */
  const cutting = (): Model => {
    const model = createNotingModel()
    let asked = 0
    return { ...model, generate: async (...input) => ({ ...(await model.generate(...input)), isTruncated: (asked += 1) === 2 }) }
  }
  const cut = { id: 'validation_1', notes: [expect.stringContaining('prompt was cut') as string] }

  test('is scored, told of and kept over a resumption', async () => {
    const data = await miniatures.copy('mmvu', 'mmvu')
    const results = newResults()
    const first = await run('mmvu', data, { model: cutting(), results, limit: 3 })
    expect([first.answered, first.degraded]).toEqual([3, [cut]])
    expect(linesOf(results).filter((line) => Object.hasOwn(line as object, 'degraded'))).toEqual([expect.objectContaining({ id: cut.id, degraded: cut.notes })])
    const rest = await run('mmvu', data, { results, resume: true })
    expect([rest.answered, rest.degraded]).toEqual([6, [cut]])
  })
})

describe('is refused before anything is read', () => {
  test.each([-1, NaN, 0, 1.5])('a limit of %d, and as many frames or tokens', async (wrong) => {
    const settings: Partial<RunBenchmarkOptions>[] = [
      { limit: wrong },
      { frames: { kind: 'fixed', frames: wrong } },
      { frames: { kind: 'per-second', maxFrames: wrong } },
      { maxNewTokens: wrong },
    ]
    for (const setting of settings) await expect(run('mmvu', 'no-such-folder', setting)).rejects.toMatchObject({ code: 'SETTING_INVALID' })
  })

  test('more frames than fit a clip', async () => {
    await expect(run('mmvu', 'no-such-folder', { frames: { kind: 'fixed', frames: 513 } })).rejects.toMatchObject({ code: 'SETTING_INVALID' })
  })

  test('a number of frames, where pictures are asked about', async () => {
    const message = expect.stringContaining('POPE asks about pictures') as string
    await expect(run('pope', 'no-such-folder', { frames: { kind: 'fixed', frames: 8 } })).rejects.toMatchObject({ code: 'SETTING_INVALID', message })
  })

  test('a results file that is there: before a model is opened for it', async () => {
    const results = newResults()
    writeFileSync(results, 'notes')
    const data = await miniatures.copy('mmvu', 'mmvu')
    await expect(run('mmvu', data, { results, model: 'no-such-bundle' })).rejects.toMatchObject({ code: 'EVAL_RESULTS_EXIST' })
    expect(readFileSync(results, 'utf8')).toBe('notes')
  })

  test('a model that is none leaves no results file behind', async () => {
    const results = newResults()
    const data = await miniatures.copy('mmvu', 'mmvu')
    await expect(run('mmvu', data, { results, model: 'no-such-bundle' })).rejects.toMatchObject({ code: 'BUNDLE_NOT_FOUND' })
    expect(existsSync(results)).toBe(false)
  })
})

test.each(benchmarkNames)('a score of no question of %s holds no NaN', (name) => {
  expect(JSON.stringify(findBenchmark(name).score([]).table)).not.toContain('NaN')
})

test('limit asks the first so many', async () => {
  const data = await miniatures.copy('mlvu', 'mlvu')
  const { answered, score } = await run('mlvu', data, { limit: 4 })
  expect(answered).toBe(4)
  expect(score.table.map(([name]) => name)).toEqual(['task', 'count', 'Avg'])
})

test('ScienceQA’s questions without a picture are asked of the language model alone', async () => {
  const data = await miniatures.copy('sqa', 'scienceqa')
  const [alone, shown]: [string[], string[]] = [[], []]
  const noting = createNotingModel()
  const model: Model = {
    ...noting,
    generate: (visual, question, options) => {
      ;(visual === null ? alone : shown).push(question)
      return noting.generate(visual, question, options)
    },
  }
  const { answered, score } = await run('sqa', data, { model })
  expect([answered, alone.length, shown.length]).toEqual([12, 4, 8])
  expect(alone[0]).toBe("Which shape is number 12?\nA. red\nB. green\nAnswer with the option's letter from the given choices directly.")
  expect(shown[0]).toContain('<image>\n')
  expect(score.final.outputs).toMatchObject({ 12: 'B' })
})

test('a question without a picture is asked once more after an error that may pass, and its own error is its own', async () => {
  const data = await miniatures.copy('sqa', 'scienceqa')
  const noting = createNotingModel()
  const codes = ['MODEL_WORKER_DIED', 'PROMPT_TOO_LONG'] as const
  let alone = 0
  const model: Model = {
    ...noting,
    generate: (visual, question, options) => {
      const code = visual === null ? codes[alone++] : undefined
      return code === undefined ? noting.generate(visual, question, options) : Promise.reject(new StreamError(code, 'It failed.'))
    },
  }
  const { answered, skipped } = await run('sqa', data, { model, skipMissing: true })
  expect([answered, alone]).toEqual([11, 5])
  expect(skipped.map(({ id, error }) => [id, error.code, error.message])).toEqual([['12', 'PROMPT_TOO_LONG', 'Question 12: It failed.']])
})

test('questions that show nothing are answered as the reference does, without the model', async () => {
  const data = await miniatures.copy('mmmu', 'MMMU')
  const model = createNotingModel()
  const { answered, files } = await run('mmmu', data, { model })
  expect([answered, model.asked.length]).toEqual([8, 6])
  const upload = JSON.parse(files.find(({ name }) => name === 'upload.json')?.text ?? '') as Record<string, string>
  expect(Object.keys(upload)).toHaveLength(8)
})

test('an unknown benchmark is refused', async () => {
  await expect(run('imagenet', miniatures.path)).rejects.toMatchObject({ code: 'SETTING_INVALID' })
})
