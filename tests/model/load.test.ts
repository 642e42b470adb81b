/** The whole runtime against the original PyTorch code: frames in, answers out, through the worker. */
import { truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadRuntime } from '../../src/model/load.js'
import type { Model, VisualTokens } from '../../src/model/model.js'
import { type ConvertedCase, caseNames, convertCase, readCase } from '../support/cases.js'
import { goldenTensor, relativeError } from '../support/golden.js'
import { framesOf } from '../support/pictures.js'

const loadOptions = { threads: 1 }

/** Of each language model, as the reference's scripts name it for evaluation. */
const TEMPLATES: Readonly<Record<string, string>> = {
  gemma: 'gemma', llama: 'llama', openelm: 'llama', phi: 'phi', qwen2: 'qwen2_base', stablelm: 'phi',
}

describe.each(caseNames)('%s, from frames to answers', (name) => {
  const reference = readCase(name)
  const { questions, newTokens, template } = reference.golden
  let bundle: ConvertedCase
  let model: Model
  let visual: VisualTokens
  beforeAll(async () => {
    bundle = await convertCase(reference, 'fused')
    model = await loadRuntime(bundle.directory, loadOptions)
    visual = await model.connect(await model.encode(framesOf(reference)))
  })
  afterAll(async () => {
    await model.dispose()
    bundle.remove()
  })

  test('takes the template of its language model, unless its layout says another', () => {
    expect(model.info.template).toBe(name === 'llava-hf' ? 'llava_hf' : TEMPLATES[model.info.parts.languageModel])
  })

  test('visual tokens differ by no more than a pixel\'s rounding explains', () => {
    // Each stage alone is within 1e-4 (`convert/stages.test.ts`); here resized pixels may be off by 1/255, too.
    expect(relativeError(visual.data, goldenTensor(reference.tensors, 'connector').data)).toBeLessThan(5e-3)
  })

  test.each(Object.entries(questions))('question "%s": the same tokens, text and reason', async (_, expected) => {
    const deltas: string[] = []
    const answer = await model.generate(visual, expected.question, {
      ...{ maxNewTokens: newTokens, template },
      onDelta: (text) => deltas.push(text),
    })
    expect(answer.tokenIds).toEqual(expected.tokens)
    expect(answer.text).toBe(expected.text)
    expect(deltas.join('')).toBe(expected.text)
    expect(answer.finishReason).toBe(expected.stoppedBy === 'length' ? 'length' : 'stop')
    expect(answer.isTruncated).toBe(expected.truncated)
    expect(answer.tokens.visual + answer.tokens.prompt).toBe(expected.sequenceLength)
    expect(answer.tokens.answer).toBe(expected.tokens.length)
  })

  test('one question asked many times at once gives one answer', async () => {
    const [question] = Object.values(questions)
    const answers = await Promise.all(
      [1, 2, 3].map(() => model.generate(visual, question?.question ?? '', { maxNewTokens: 4, template })),
    )
    for (const { tokenIds } of answers) expect(tokenIds).toEqual(question?.tokens.slice(0, 4))
  })
})

describe('a loaded model', () => {
  const reference = readCase('qwen2-stop')
  let bundle: ConvertedCase
  let model: Model
  let visual: VisualTokens
  beforeAll(async () => {
    bundle = await convertCase(reference, 'fused')
    model = await loadRuntime(bundle.directory, loadOptions)
    visual = await model.connect(await model.encode(framesOf(reference).slice(0, 3)))
  })
  afterAll(async () => {
    await model.dispose()
    bundle.remove()
  })

  test('samples the same answer for the same seed', async () => {
    const ask = (seed: number) => model.generate(visual, 'What?', { temperature: 1, topP: 0.9, seed, maxNewTokens: 12 })
    const [first, second, other] = await Promise.all([ask(1), ask(1), ask(2)])
    expect(second.tokenIds).toEqual(first.tokenIds)
    expect(other.tokenIds).not.toEqual(first.tokenIds)
  })

  test('gives each picture of a call its own features, the same as when it comes alone', async () => {
    const [first, second] = framesOf(reference)
    if (first === undefined || second === undefined) throw new Error('The case has fewer than two frames.')
    const together = await model.encode([first, second])
    expect(together[1]).toEqual((await model.encode([second]))[0])
    expect(together[0]).not.toEqual(together[1])
  })

  test('stops in the middle of an answer when it is aborted, and goes on with the next', async () => {
    const abort = new AbortController()
    const answer = model.generate(visual, 'What?', {
      signal: abort.signal,
      // Without it the answer would go on to the model's limit of positions.
      maxNewTokens: 100_000,
      onDelta: () => { abort.abort() },
    })
    await expect(answer).rejects.toMatchObject({ code: 'ABORTED' })
    await expect(model.generate(visual, 'What?', { maxNewTokens: 1 })).resolves.toMatchObject({ tokens: { answer: 1 } })
  })

  test('drops waiting work that is aborted', async () => {
    const abort = new AbortController()
    const running = model.generate(visual, 'What?', { maxNewTokens: 4 })
    const waiting = model.generate(visual, 'What?', { signal: abort.signal })
    abort.abort()
    await expect(waiting).rejects.toMatchObject({ code: 'ABORTED' })
    await expect(running).resolves.toMatchObject({ tokens: { answer: 4 } })
  })
})

test('PROMPT_TOO_LONG comes from the worker where the model has too few positions', async () => {
  const bundle = await convertCase(readCase('qwen2-stop'), 'fused')
  const languageModel = { ...bundle.manifest.languageModel, maxPositions: 40 }
  writeFileSync(join(bundle.directory, 'manifest.json'), JSON.stringify({ ...bundle.manifest, languageModel }))
  const model = await loadRuntime(bundle.directory, loadOptions)
  const visual = await model.connect(await model.encode([{ data: new Uint8Array(12), width: 2, height: 2 }]))
  await expect(model.generate(visual, 'What?')).rejects.toMatchObject({ code: 'PROMPT_TOO_LONG' })
  await model.dispose()
  bundle.remove()
})

test('disposing ends work under way and all that comes later', async () => {
  const bundle = await convertCase(readCase('qwen2-stop'), 'fused')
  const model = await loadRuntime(bundle.directory, loadOptions)
  const picture = { data: new Uint8Array(12), width: 2, height: 2 }
  const encoding = model.encode([picture])
  const disposal = model.dispose()
  await expect(encoding).rejects.toMatchObject({ code: 'MODEL_DISPOSED' })
  await disposal
  await expect(model.encode([picture])).rejects.toMatchObject({ code: 'MODEL_DISPOSED' })
  bundle.remove()
})

describe('loading fails with', () => {
  let bundle: ConvertedCase
  beforeAll(async () => {
    bundle = await convertCase(readCase('qwen2-stop'), 'fused')
  })
  afterAll(() => {
    bundle.remove()
  })
  const manifest = () => join(bundle.directory, 'manifest.json')

  test('SETTING_INVALID for a device or a number of threads that can\'t be', async () => {
    await expect(loadRuntime(bundle.directory, { device: 'gpu' as never })).rejects.toMatchObject({ code: 'SETTING_INVALID' })
    await expect(loadRuntime(bundle.directory, { threads: 0 })).rejects.toMatchObject({ code: 'SETTING_INVALID' })
  })

  test('BUNDLE_NOT_FOUND for a checkpoint', async () => {
    await expect(loadRuntime(readCase('qwen2-stop').checkpoint)).rejects.toMatchObject({ code: 'BUNDLE_NOT_FOUND' })
  })

  test('ABORTED where the signal says so', async () => {
    await expect(loadRuntime(bundle.directory, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' })
  })

  test('MODEL_FAILED for a graph of the right size that is none, from the worker, with its name', async () => {
    const graph = join(bundle.directory, 'connector.onnx')
    const { bytes } = bundle.manifest.files['connector.onnx'] ?? { bytes: 0 }
    writeFileSync(graph, new Uint8Array(bytes).fill(255))
    await expect(loadRuntime(bundle.directory, loadOptions)).rejects.toMatchObject({
      code: 'MODEL_FAILED',
      message: expect.stringContaining('connector.onnx') as unknown,
    })
  })

  test('BUNDLE_DAMAGED for a data file that was cut', async () => {
    truncateSync(join(bundle.directory, 'vision_encoder.onnx.data'), 10)
    await expect(loadRuntime(bundle.directory, loadOptions)).rejects.toMatchObject({ code: 'BUNDLE_DAMAGED' })
  })

  test('BUNDLE_VERSION for another format version', async () => {
    writeFileSync(manifest(), JSON.stringify({ ...bundle.manifest, version: 99 }))
    await expect(loadRuntime(bundle.directory, loadOptions)).rejects.toMatchObject({ code: 'BUNDLE_VERSION' })
  })
})
