/** Answers side by side in the real decoder, against the original PyTorch code's tokens. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildPrompt } from '../../../src/model/parts/templates/prompt.js'
import { templates } from '../../../src/model/parts/templates/templates.js'
import { createAppendingDecoder } from '../../../src/model/runtime/appending-decoder.js'
import { createGate } from '../../../src/model/runtime/native-gate.js'
import { PrefixCache } from '../../../src/model/runtime/prefix-cache.js'
import { type GraphName, type GraphSession, openSession } from '../../../src/model/runtime/session.js'
import { TextLane } from '../../../src/model/runtime/text-lane.js'
import { planThreads } from '../../../src/model/runtime/threads.js'
import { loadTokenizer } from '../../../src/model/tokenizer/load-tokenizer.js'
import { type ConvertedCase, convertCase, readCase } from '../../support/cases.js'
import { goldenTensor } from '../../support/golden.js'
import { drain, quietHooks } from './fake-model.js'

describe.each(['qwen2-group-16', 'phi-naive', 'qwen2-stop', 'gemma-group', 'openelm'])('%s', (name) => {
  const { golden, tensors, checkpoint } = readCase(name)
  const asked = Object.values(golden.questions)
  let bundle: ConvertedCase
  beforeAll(async () => { bundle = await convertCase(readCase(name), 'fused') })
  afterAll(() => { bundle.remove() })

  test('prompts of any lengths, joining and leaving: each gets its own tokens, from runs of several', async () => {
    const { languageModel } = bundle.manifest
    const threads = planThreads(2)
    const open = (graph: GraphName): Promise<GraphSession> => openSession(bundle.directory, graph, threads[graph], createGate())
    const session = await open('appendingDecoder')
    const widths: number[] = []
    const counted: GraphSession = {
      ...session,
      run: (feeds) => {
        widths.push(feeds.inputs_embeds?.dims[0] ?? 0)
        return session.run(feeds)
      },
    }
    const lane = new TextLane({
      tokenizer: await loadTokenizer(checkpoint),
      languageModel,
      width: languageModel.width,
      embedTokens: await open('embedTokens'),
      decoder: createAppendingDecoder({ session: counted, model: languageModel }, 5),
      prefixes: new PrefixCache(1e9),
      chunk: 7,
      maxAnswers: 5,
      maxBurstMs: 0,
    })
    const { data, shape: [tokens = 0, width = 0] } = goldenTensor(tensors, 'connector')
    const visual = { data: Float32Array.from(data), tokens, width, connectMs: 0 }
    const template = templates.get(golden.template)
    const settings = { endText: template.endText, temperature: 0, topP: 1, seed: 0 }
    // Each question three times, cut at other lengths, so that places become free in the middle.
    const jobs = [1, 2, 3].flatMap((clip) => asked.map(({ question, tokens: expected }, place) => {
      const maxNewTokens = Math.max(1, golden.newTokens - 3 * ((clip + place) % 4))
      return { maxNewTokens, expected: expected.slice(0, maxNewTokens), clip, prompt: buildPrompt(template, question) }
    }))
    const answers = jobs.map(({ maxNewTokens, clip, prompt }) =>
      lane.answer({ kind: 'generate', clip, visual, prompt, maxNewTokens, ...settings }, quietHooks()))
    await drain(lane)
    expect((await Promise.all(answers)).map(({ tokenIds }) => tokenIds)).toEqual(jobs.map(({ expected }) => expected))
    expect(Math.max(...widths)).toBeGreaterThan(2)
    expect(new Set(widths).size).toBeGreaterThan(2)
  })
})
