import { describe, expect, test } from 'vitest'
import { generate } from '../../../src/model/runtime/generate.js'
import type { GenerateJob } from '../../../src/model/runtime/protocol.js'
import { countingJob, fakeTextModel } from './fake-model.js'

const run = (model: ReturnType<typeof fakeTextModel>, changes: Partial<GenerateJob> = {}) =>
  generate(model, { ...countingJob, ...changes }, { signal: new AbortController().signal, onDelta: () => undefined })

describe('an answer', () => {
  test('stops at the limit, with reason length', async () => {
    const answer = await run(fakeTextModel())
    expect(answer).toMatchObject({ text: 'bcdef', finishReason: 'length', isTruncated: false })
    expect(answer.tokenIds).toEqual([98, 99, 100, 101, 102])
    expect(answer.tokens).toEqual({ visual: 2, prompt: 4, answer: 5 })
  })

  test('stops at an end token, which it counts and does not show', async () => {
    const answer = await run(fakeTextModel({ eosTokenIds: [100] }))
    expect(answer).toMatchObject({ finishReason: 'stop', tokenIds: [98, 99, 100], text: 'bcd' })
  })

  test('stops where the last tokens are the end text, which is removed', async () => {
    expect(await run(fakeTextModel(), { endText: 'de' })).toMatchObject({
      finishReason: 'stop',
      tokenIds: [98, 99, 100, 101],
      text: 'bc',
    })
  })

  test('stops for the token rather than for the limit where both fall together', async () => {
    expect(await run(fakeTextModel({ eosTokenIds: [102] }))).toMatchObject({ finishReason: 'stop' })
  })

  test('ends where the model has no positions left', async () => {
    expect(await run(fakeTextModel({ maxPositions: 8 }))).toMatchObject({ finishReason: 'length', tokenIds: [98, 99] })
  })

  test('is told to the listener in pieces that add up to it', async () => {
    const pieces: string[] = []
    const hooks = { signal: new AbortController().signal, onDelta: (text: string) => pieces.push(text) }
    const { text } = await generate(fakeTextModel(), { ...countingJob, endText: 'f' }, hooks)
    expect(pieces).toEqual(['b', 'c', 'd', 'e'])
    expect(text).toBe('bcde')
  })
})

describe('the decoder', () => {
  test('sees text, visual tokens and text once, then one token at a time with the cache', async () => {
    const model = fakeTextModel()
    await run(model, { maxNewTokens: 3 })
    const embeddings = model.decoder.runs.map(({ inputs_embeds: tensor }) => Array.from(tensor?.data as Float32Array))
    expect(embeddings).toEqual([[81, 0, 32, 0, 1, 2, 3, 4, 10, 0, 97, 0], [98, 0], [99, 0]])
    const shapes = model.decoder.runs.map(({ attention_mask: mask, 'past_key_values.0.key': past }) => [mask?.dims, past?.dims])
    expect(shapes).toEqual([
      [[1, 6], [1, 1, 0, 1]],
      [[1, 7], [1, 1, 6, 1]],
      [[1, 8], [1, 1, 7, 1]],
    ])
    expect(model.decoder.runs.every(({ num_logits_to_keep: kept }) => kept?.dims.length === 0 && kept.data[0] === 1n)).toBe(true)
  })

  test('is not run for a token after the last', async () => {
    const model = fakeTextModel()
    await run(model, { maxNewTokens: 1 })
    expect(model.decoder.runs).toHaveLength(1)
  })

  test('sees the beginning of a prompt whose end is cut', async () => {
    const model = fakeTextModel({ maxPromptTokens: 3 })
    expect(await run(model)).toMatchObject({ isTruncated: true, tokens: { visual: 1, prompt: 2 } })
    expect(Array.from(model.decoder.runs[0]?.inputs_embeds?.data as Float32Array)).toEqual([81, 0, 32, 0, 1, 2])
  })
})

describe('an abort', () => {
  test('that comes in as an event between two tokens stops before the next one', async () => {
    const model = fakeTextModel()
    const abort = new AbortController()
    const pieces: string[] = []
    const onDelta = (text: string): void => {
      pieces.push(text)
      // As a message would: from the event loop, which a synchronous loop would never come back to.
      if (pieces.length === 2) setImmediate(() => { abort.abort() })
    }
    const answer = generate(model, { ...countingJob, maxNewTokens: 30, endText: '' }, { signal: abort.signal, onDelta })
    await expect(answer).rejects.toMatchObject({ code: 'ABORTED' })
    expect(pieces.length).toBeLessThanOrEqual(3)
  })
})

test('a prompt that leaves no room for an answer is refused before anything runs', async () => {
  const model = fakeTextModel({ maxPositions: 6 })
  await expect(run(model)).rejects.toMatchObject({ code: 'PROMPT_TOO_LONG' })
  expect(model.embedTokens.runs).toHaveLength(0)
})

test('a logit that is not a number is an error, not an answer', async () => {
  const model = fakeTextModel()
  const broken = {
    ...model.decoder,
    run: async (feeds: Parameters<typeof model.decoder.run>[0]) => {
      const outputs = await model.decoder.run(feeds)
      ;(outputs.logits?.data as Float32Array)[7] = NaN
      return outputs
    },
  }
  await expect(run({ ...model, decoder: broken })).rejects.toMatchObject({ code: 'MODEL_FAILED' })
})
