import { describe, expect, test } from 'vitest'
import type { Manifest } from '../../../src/model/manifest.js'
import { templates } from '../../../src/model/parts/templates/templates.js'
import { createClient } from '../../../src/model/runtime/client.js'
import type { Dispatcher } from '../../../src/model/runtime/dispatcher.js'
import type { Job } from '../../../src/model/runtime/protocol.js'
import { WIDTH, countingJob, languageModel } from './fake-model.js'

const manifest: Manifest = {
  format: 'tinyllava-stream-bundle',
  version: 1,
  name: 'fake',
  createdBy: '0.0.0',
  sourceDigest: '0'.repeat(64),
  precision: 'fp32',
  attention: 'fused',
  template: 'qwen2_base',
  visionTower: { name: 'siglip', imageSize: 30, tokensPerFrame: 2, width: 3 },
  connector: { name: 'naiveresampler' },
  languageModel,
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
    expect(job.prompt.after).toBe('\nWhat? ASSISTANT:')
  })

  test('takes the call\'s template, also one that the user registered on this thread', () => {
    templates.register('terse', { ...templates.get('phi'), name: 'terse', system: 'In one word. ', endText: '</s>' })
    const { model, jobs } = recordingClient()
    void model.generate(visual, 'What?', { template: 'terse', maxNewTokens: 3 })
    expect(generateJob(jobs[0])).toMatchObject({ maxNewTokens: 3, endText: '</s>' })
    expect(generateJob(jobs[0]).prompt.before).toBe('In one word. USER: ')
  })

  test('hands nothing in where the call is wrong', async () => {
    const { model, jobs } = recordingClient()
    await expect(model.generate(visual, 'What?', { template: 'nobody' })).rejects.toMatchObject({ code: 'PART_UNKNOWN' })
    await expect(model.generate(visual, 'What?', { temperature: -1 })).rejects.toMatchObject({ code: 'SETTING_INVALID' })
    await expect(model.generate({ ...visual, width: WIDTH + 1 }, 'What?')).rejects.toMatchObject({ code: 'SETTING_INVALID' })
    await expect(model.generate(visual, 5 as never)).rejects.toMatchObject({ code: 'SETTING_INVALID' })
    await expect(model.encode([{ data: new Uint8Array(2), width: 1, height: 1 }])).rejects.toMatchObject({ code: 'SETTING_INVALID' })
    await expect(model.connect([])).rejects.toMatchObject({ code: 'SETTING_INVALID' })
    expect(jobs).toEqual([])
  })
})

test('encoding no pictures is done at once', async () => {
  const { model, jobs } = recordingClient()
  expect(await model.encode([])).toEqual([])
  expect(jobs).toEqual([])
})
