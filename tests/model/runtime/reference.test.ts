/** Prefill and decode against the original PyTorch code, fed with its own visual tokens. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildPrompt } from '../../../src/model/parts/templates/prompt.js'
import { templates } from '../../../src/model/parts/templates/templates.js'
import { createAppendingDecoder } from '../../../src/model/runtime/appending-decoder.js'
import { embedTokens } from '../../../src/model/runtime/embedding.js'
import { createGrowingDecoder } from '../../../src/model/runtime/growing-decoder.js'
import type { DecoderSequence, LanguageDecoder } from '../../../src/model/runtime/language-decoder.js'
import { createGate } from '../../../src/model/runtime/native-gate.js'
import { type PromptLayout, layOutPrompt } from '../../../src/model/runtime/prompt-layout.js'
import { type GraphSession, openSession } from '../../../src/model/runtime/session.js'
import { planThreads } from '../../../src/model/runtime/threads.js'
import { encodePrompt } from '../../../src/model/tokenizer/prompt-ids.js'
import { loadTokenizer } from '../../../src/model/tokenizer/load-tokenizer.js'
import type { Tokenizer } from '../../../src/model/tokenizer/tokenizer.js'
import { type ConvertedCase, caseNames, convertCase, readCase } from '../../support/cases.js'
import { goldenTensor, relativeError } from '../../support/golden.js'

const kinds = ['appending', 'growing'] as const

describe.each(caseNames.flatMap((name) => kinds.map((kind) => ({ name, kind }))))('$name, $kind decoder', ({ name, kind }) => {
  const { golden, tensors, checkpoint } = readCase(name)
  const questions = Object.entries(golden.questions)
  let bundle: ConvertedCase
  let tokenizer: Tokenizer
  let embedder: GraphSession
  let decoder: LanguageDecoder

  beforeAll(async () => {
    const threads = planThreads(1)
    bundle = await convertCase(readCase(name), 'fused')
    tokenizer = await loadTokenizer(checkpoint)
    embedder = await openSession(bundle.directory, 'embedTokens', threads.embedTokens, createGate())
    const model = bundle.manifest.languageModel
    const open = (graph: 'decoder' | 'appendingDecoder') => openSession(bundle.directory, graph, threads[graph], createGate())
    decoder = kind === 'growing'
      ? createGrowingDecoder({ session: await open('decoder'), manifest: bundle.manifest })
      : createAppendingDecoder({ session: await open('appendingDecoder'), model }, 1)
  })
  afterAll(() => {
    bundle.remove()
  })

  const layOut = (question: string): PromptLayout => {
    const prompt = buildPrompt(templates.get(golden.template), question)
    const visualTokens = goldenTensor(tensors, 'connector').shape[0] ?? 0
    return layOutPrompt(encodePrompt(tokenizer, prompt), visualTokens, bundle.manifest.languageModel)
  }
  const embed = async (question: string): Promise<Float32Array> => {
    const { data, shape: [, width = 0] } = goldenTensor(tensors, 'connector')
    const { before, visualTokens, after } = layOut(question)
    const [opening, closing] = [await embedTokens(embedder, before, width), await embedTokens(embedder, after, width)]
    return Float32Array.from([...opening, ...data.slice(0, visualTokens * width), ...closing])
  }
  const start = (): DecoderSequence => decoder.begin(bundle.manifest.languageModel.maxPositions)
  const embedIds = (ids: readonly number[]): Promise<Float32Array> =>
    embedTokens(embedder, ids, bundle.manifest.languageModel.width)

  test.each(questions)('question "%s": positions, cut and prefill logits', async (key, { question, sequenceLength, truncated }) => {
    expect(layOut(question)).toMatchObject({ length: sequenceLength, isTruncated: truncated })
    const logits = await start().append(await embed(question))
    const rows = goldenTensor(tensors, `logits.${key}`).data
    expect(relativeError(logits, rows.slice(-logits.length))).toBeLessThan(1e-3)
  })

  const stepped = questions.filter(([key]) => tensors.has(`steps.${key}`))
  test('has questions whose every step is known', () => {
    expect(stepped.length).toBeGreaterThan(0)
  })

  test.each(stepped)('question "%s": logits of every step, with the cache', async (key, { question, tokens }) => {
    const { data, shape: [steps = 0, vocabulary = 0] } = goldenTensor(tensors, `steps.${key}`)
    expect(steps).toBe(tokens.length)
    const sequence = start()
    let logits = await sequence.append(await embed(question))
    for (const [step, id] of tokens.entries()) {
      const expected = data.slice(step * vocabulary, (step + 1) * vocabulary)
      expect(relativeError(logits, expected), `step ${step}`).toBeLessThan(1e-3)
      logits = await sequence.append(await embedIds([id]))
    }
  })

  test('a cached decode gives what an uncached one gives, however the positions are cut into runs', async () => {
    const [first] = questions
    if (first === undefined) throw new Error('The case has no question.')
    const { question, tokens } = first[1]
    const prompt = await embed(question)
    const answer = await embedIds(tokens)
    const whole = new Float32Array(prompt.length + answer.length)
    whole.set(prompt)
    whole.set(answer, prompt.length)
    const uncached = await start().append(whole)

    const { width } = bundle.manifest.languageModel
    const rows = whole.length / width
    const promptRows = rows - tokens.length
    const oneByOne = tokens.map((_, index) => promptRows + index)
    for (const starts of [[0, ...oneByOne], [0, 1, 7, promptRows], [0, rows - 1]]) {
      const sequence = start()
      let logits = new Float32Array()
      for (const [index, from] of starts.entries()) {
        logits = Float32Array.from(await sequence.append(whole.slice(from * width, (starts[index + 1] ?? rows) * width)))
      }
      expect(sequence.length).toBe(rows)
      expect(relativeError(logits, uncached), `runs from ${starts.join(', ')}`).toBeLessThan(1e-5)
    }
  })
})
