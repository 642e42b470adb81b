/** Questions that show nothing, with the real decoder, against the original PyTorch code's prompts, ids and tokens. */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildTextPrompt } from '../../../src/model/parts/templates/prompt.js'
import { templates } from '../../../src/model/parts/templates/templates.js'
import { createAppendingDecoder } from '../../../src/model/runtime/appending-decoder.js'
import { createGate } from '../../../src/model/runtime/native-gate.js'
import { PrefixCache } from '../../../src/model/runtime/prefix-cache.js'
import { type GraphName, type GraphSession, openSession } from '../../../src/model/runtime/session.js'
import { TextLane } from '../../../src/model/runtime/text-lane.js'
import { planThreads } from '../../../src/model/runtime/threads.js'
import { loadTokenizer } from '../../../src/model/tokenizer/load-tokenizer.js'
import { encodePrompt } from '../../../src/model/tokenizer/prompt-ids.js'
import { type ConvertedCase, convertCase, readCase } from '../../support/cases.js'
import { referencePath } from '../../support/golden.js'
import { drain, quietHooks } from './fake-model.js'

interface Asked {
  readonly question: string
  readonly prompt: string
  readonly promptIds: readonly number[]
}

interface TextOnlyGolden {
  readonly case: string
  readonly template: string
  /** Where the model cuts prompts with a picture: shorter than each of these. */
  readonly maxPromptTokens: number
  readonly newTokens: number
  readonly asked: readonly (Asked & { readonly tokens: readonly number[]; readonly text: string })[]
  readonly prompts: readonly (Asked & { readonly template: string; readonly tokenizer: string })[]
}

const golden = JSON.parse(readFileSync(referencePath('text-only.json'), 'utf8')) as TextOnlyGolden
const reference = readCase(golden.case)

test.each(golden.prompts)('$template with the tokenizer of $tokenizer: $question', async ({ template, tokenizer, question, prompt, promptIds }) => {
  const built = buildTextPrompt(templates.get(template), question)
  expect(built.text).toBe(prompt)
  expect(encodePrompt(await loadTokenizer(referencePath(tokenizer)), built)).toEqual({ before: promptIds, after: [], ends: [] })
})

describe('answers of the language model alone', () => {
  let bundle: ConvertedCase
  beforeAll(async () => { bundle = await convertCase(reference, 'fused') })
  afterAll(() => { bundle.remove() })

  async function openLane(): Promise<TextLane> {
    const threads = planThreads(2)
    const open = (graph: GraphName): Promise<GraphSession> => openSession(bundle.directory, graph, threads[graph], createGate())
    const languageModel = { ...bundle.manifest.languageModel, maxPromptTokens: golden.maxPromptTokens }
    return new TextLane({
      tokenizer: await loadTokenizer(reference.checkpoint),
      languageModel,
      width: languageModel.width,
      embedTokens: await open('embedTokens'),
      decoder: createAppendingDecoder({ session: await open('appendingDecoder'), model: languageModel }, 4),
      prefixes: new PrefixCache(1e9),
      chunk: 16,
      maxAnswers: 4,
      maxBurstMs: 0,
    })
  }

  test('are the same tokens and texts, asked side by side, and no prompt is cut', async () => {
    const lane = await openLane()
    const template = templates.get(golden.template)
    const answering = golden.asked.map(({ question }) =>
      lane.answer(
        {
          ...{ kind: 'generate', clip: 0, visual: { data: new Float32Array(0), tokens: 0, width: 0, connectMs: 0 } },
          ...{ prompt: buildTextPrompt(template, question), endText: template.endText },
          ...{ temperature: 0, topP: 1, seed: 0, maxNewTokens: golden.newTokens },
        },
        quietHooks(),
      ),
    )
    await drain(lane)
    const answers = await Promise.all(answering)
    expect(answers.map(({ tokenIds, text }) => ({ tokenIds, text }))).toEqual(golden.asked.map(({ tokens, text }) => ({ tokenIds: tokens, text })))
    expect(answers.map(({ tokens: { visual, prompt }, isTruncated }) => [visual, prompt, isTruncated])).toEqual(
      golden.asked.map(({ promptIds }) => [0, promptIds.length, false]),
    )
    expect(Math.min(...golden.asked.map(({ promptIds }) => promptIds.length))).toBeGreaterThan(golden.maxPromptTokens)
    await lane.close()
  })
})
