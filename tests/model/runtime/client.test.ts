import { describe, expect, test } from 'vitest'
import type { Manifest } from '../../../src/model/manifest.js'
import { templates } from '../../../src/model/parts/templates/templates.js'
import { createClient } from '../../../src/model/runtime/client.js'
import type { Dispatcher } from '../../../src/model/runtime/dispatcher.js'
import type { Job } from '../../../src/model/runtime/protocol.js'
import { WIDTH, countingJob, floatPrecisions, languageModel } from './fake-model.js'

const manifest: Manifest = {
  format: 'tinyllava-stream-bundle',
  version: 4,
  name: 'fake',
  createdBy: '0.0.0',
  sourceDigest: '0'.repeat(64),
  precision: 'fp32',
  precisions: floatPrecisions,
  attention: 'fused',
  template: 'qwen2_base',
  visionTower: { name: 'siglip', imageSize: 30, tokensPerFrame: 2, width: 3, features: 'float32' },
  connector: { name: 'naiveresampler' },
  languageModel,
  explaining: { patches: { across: 1, first: 0 }, looks: false },
  files: {},
}

/** A model whose jobs are kept and never done. */
function recordingClient() {
  const jobs: Job[] = []
  const dispatcher: Pick<Dispatcher, 'submit' | 'dispose'> = {
    submit: (job) => {
      jobs.push(job)
      return new Promise(() => undefined)
    },
    dispose: () => Promise.resolve(),
  }
  return { model: createClient({ dir: 'somewhere', manifest, digest: 'abc' }, dispatcher, 'cpu'), jobs }
}

/** A model whose jobs are done at once, with what the test says. */
function answeringClient(connector: Manifest['connector'], results: Partial<Record<Job['kind'], (job: Job) => unknown>>) {
  const jobs: Job[] = []
  const dispatcher: Pick<Dispatcher, 'submit' | 'dispose'> = {
    submit: (job) => {
      jobs.push(job)
      return Promise.resolve(results[job.kind]?.(job) as never)
    },
    dispose: () => Promise.resolve(),
  }
  return { model: createClient({ dir: 'somewhere', manifest: { ...manifest, connector }, digest: 'abc' }, dispatcher, 'cpu'), jobs }
}

const { visual } = countingJob
const generateJob = (job: Job | undefined): Extract<Job, { kind: 'generate' }> => {
  if (job?.kind === 'generate') return job
  throw new Error(`Expected a generate job, got ${job?.kind ?? 'none'}.`)
}

test('says what the model is', () => {
  expect(recordingClient().model.info).toEqual({
    name: 'fake',
    digest: 'abc',
    precision: 'fp32',
    device: 'cpu',
    template: 'qwen2_base',
    imageSize: 30,
    tokensPerFrame: 2,
    parts: { tower: 'siglip', connector: 'naiveresampler', languageModel: 'counting' },
  })
})

describe('generate', () => {
  test('builds the prompt with the bundle\'s template, and fills in the settings', () => {
    const { model, jobs } = recordingClient()
    void model.generate(visual, ' What? ')
    const job = generateJob(jobs[0])
    expect(job).toMatchObject({ maxNewTokens: 512, temperature: 0, topP: 1, seed: 0, endText: '<|endoftext|>' })
    expect(job.prompt).toMatchObject({ after: '\nWhat? ASSISTANT:' })
  })

  test('takes the call\'s template, also one that the user registered on this thread', () => {
    templates.register('terse', { ...templates.get('phi'), name: 'terse', system: 'In one word. ', endText: '</s>' })
    const { model, jobs } = recordingClient()
    void model.generate(visual, 'What?', { template: 'terse', maxNewTokens: 3 })
    expect(generateJob(jobs[0])).toMatchObject({ maxNewTokens: 3, endText: '</s>' })
    expect(generateJob(jobs[0]).prompt).toMatchObject({ before: 'In one word. USER: ' })
  })

  test('asks the language model alone where nothing is shown: no visual tokens, and a prompt in one piece', () => {
    const { model, jobs } = recordingClient()
    void model.generate(null, 'What?', { rounds: [{ question: 'Who?', answer: 'I.' }] })
    const { prompt, visual: shown, clip, isConversation } = generateJob(jobs[0])
    expect(isConversation).toBe(false)
    expect(prompt).toEqual({ text: expect.stringMatching(/questions\. USER: Who\? ASSISTANT: I\.<\|endoftext\|>USER: What\? ASSISTANT:$/) as string })
    expect([shown.tokens, shown.data.length]).toEqual([0, 0])
    void model.generate(visual, 'What?')
    expect(generateJob(jobs[1]).clip).not.toBe(clip)
  })

  test('hands nothing in where the call is wrong', async () => {
    const { model, jobs } = recordingClient()
    await expect(model.generate(visual, 'What?', { template: 'nobody' })).rejects.toMatchObject({ code: 'PART_UNKNOWN' })
    await expect(model.generate(visual, 'What?', { temperature: -1 })).rejects.toMatchObject({ code: 'SETTING_INVALID' })
    await expect(model.generate({ ...visual, width: WIDTH + 1 }, 'What?')).rejects.toMatchObject({ code: 'SETTING_INVALID' })
    await expect(model.generate(null, 'What?', { template: 'pretrain' })).rejects.toMatchObject({ code: 'SETTING_INVALID' })
    await expect(model.generate(visual, 5 as never)).rejects.toMatchObject({ code: 'SETTING_INVALID' })
    await expect(model.encode([{ data: new Uint8Array(2), width: 1, height: 1 }])).rejects.toMatchObject({ code: 'SETTING_INVALID' })
    await expect(model.connect([])).rejects.toMatchObject({ code: 'SETTING_INVALID' })
    expect(jobs).toEqual([])
  })
})

describe('connect', () => {
  const frame = (value: number) => ({ data: new Float32Array(6).fill(value), tokens: 2, width: 3 })
  const connect = (job: Job) => {
    const condensed = job.kind === 'connect' ? job.frames.flatMap((one) => ('data' in one ? { condensed: one.data.slice(0, 1) } : [])) : []
    return { visual, condensed }
  }
  const sent = (job: Job | undefined) =>
    job?.kind === 'connect' ? job.frames.map((one) => ('data' in one ? one.data[0] : `condensed ${one.condensed[0] ?? NaN}`)) : []

  test('hands in a frame once where frames are condensed one by one, and from then on what became of it', async () => {
    const { model, jobs } = answeringClient({ name: 'groupresampler', framesAlone: 2 }, { connect })
    const [first, second, third] = [frame(1), frame(2), frame(3)]
    await model.connect([first, second])
    await model.connect([second, third])
    await model.connect([second, third])
    expect(jobs.map(sent)).toEqual([[1, 2], ['condensed 2', 3], ['condensed 2', 'condensed 3']])
  })

  test('hands in a frame once for clips of any number where frames are always connected one by one', async () => {
    const { model, jobs } = answeringClient({ name: 'mlp2x_gelu', framesAlone: 'always' }, { connect })
    const [first, second, third] = [frame(1), frame(2), frame(3)]
    await model.connect([first])
    await model.connect([first, second, third])
    await model.connect([second, third])
    expect(jobs.map(sent)).toEqual([[1], ['condensed 1', 2, 3], ['condensed 2', 'condensed 3']])
  })

  test('hands in whole frames where the clip has another number of them', async () => {
    const { model, jobs } = answeringClient({ name: 'groupresampler', framesAlone: 2 }, { connect: () => ({ visual, condensed: [] }) })
    await model.connect([frame(1), frame(2), frame(3)])
    await model.connect([frame(1)])
    expect(jobs.map(sent)).toEqual([[1, 2, 3], [1]])
  })
})

test('questions about the same visual tokens are about the same clip, others are not', () => {
  const { model, jobs } = recordingClient()
  void model.generate(visual, 'What?')
  void model.generate(visual, 'Where?')
  void model.generate({ ...visual }, 'What?')
  const clips = jobs.map((job) => generateJob(job).clip)
  expect(clips[1]).toBe(clips[0])
  expect(clips[2]).not.toBe(clips[0])
})

test('encoding no pictures is done at once', async () => {
  const { model, jobs } = recordingClient()
  expect(await model.encode([])).toEqual([])
  expect(jobs).toEqual([])
})

describe('rounds of a conversation', () => {
  test('are part of the prompt, and what is taken in of it is kept for the next', () => {
    const { model, jobs } = recordingClient()
    void model.generate(visual, 'Which?', { rounds: [{ question: 'What?', answer: 'A dog.' }] })
    const { prompt, isConversation } = generateJob(jobs[0])
    const after = '\nWhat? ASSISTANT: A dog.<|endoftext|>USER: Which? ASSISTANT:'
    expect(prompt).toMatchObject({ after, ends: ['\nWhat? ASSISTANT:'.length] })
    expect(isConversation).toBe(true)
  })

  test('a question by itself has none, the first of a conversation an empty list', () => {
    const { model, jobs } = recordingClient()
    void model.generate(visual, 'What?')
    void model.generate(visual, 'What?', { rounds: [] })
    expect(jobs.map((job) => generateJob(job).isConversation)).toEqual([false, true])
    expect(generateJob(jobs[1]).prompt).toEqual(generateJob(jobs[0]).prompt)
  })

  test.each([[[{ question: 'What?' }]], [[null]], ['What?']])('%j is refused', async (rounds) => {
    const asking = recordingClient().model.generate(visual, 'What?', { rounds: rounds as never })
    await expect(asking).rejects.toMatchObject({ code: 'SETTING_INVALID', message: expect.stringMatching(/`rounds`/) as unknown })
  })
})
