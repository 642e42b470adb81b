/** A conversation with the real decoder, against the original PyTorch code's prompts and tokens. */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildPrompt } from '../../../src/model/parts/templates/prompt.js'
import { templates } from '../../../src/model/parts/templates/templates.js'
import { createAppendingDecoder } from '../../../src/model/runtime/appending-decoder.js'
import { createGate } from '../../../src/model/runtime/native-gate.js'
import { PrefixCache } from '../../../src/model/runtime/prefix-cache.js'
import { type GraphName, type GraphSession, openSession } from '../../../src/model/runtime/session.js'
import { TextLane } from '../../../src/model/runtime/text-lane.js'
import { planThreads } from '../../../src/model/runtime/threads.js'
import { loadTokenizer } from '../../../src/model/tokenizer/load-tokenizer.js'
import { encodePrompt } from '../../../src/model/tokenizer/prompt-ids.js'
import type { Generation } from '../../../src/model/model.js'
import { type ConvertedCase, IMAGE_MARKER, convertCase, readCase } from '../../support/cases.js'
import { goldenTensor, referencePath } from '../../support/golden.js'
import { drain, quietHooks } from './fake-model.js'

interface ConversationGolden {
  readonly case: string
  readonly template: string
  readonly newTokens: number
  readonly rounds: readonly {
    readonly question: string
    readonly prompt: string
    readonly promptIds: readonly number[]
    readonly tokens: readonly number[]
    readonly text: string
  }[]
}

const golden = JSON.parse(readFileSync(referencePath('conversation.json'), 'utf8')) as ConversationGolden
const reference = readCase(golden.case)
const template = templates.get(golden.template)
const prompts = golden.rounds.map(({ question }, place) => buildPrompt(template, question, golden.rounds.slice(0, place).map(({ question, text }) => ({ question, answer: text }))))

let bundle: ConvertedCase
beforeAll(async () => { bundle = await convertCase(reference, 'fused') })
afterAll(() => { bundle.remove() })

/** Asks round by round; `prefilled` are the positions that each round ran before its first token. */
async function converse(prefixBytes: number): Promise<{ answers: readonly Generation[]; prefilled: readonly number[] }> {
  const { languageModel } = bundle.manifest
  const threads = planThreads(2)
  const open = (graph: GraphName): Promise<GraphSession> => openSession(bundle.directory, graph, threads[graph], createGate())
  const session = await open('appendingDecoder')
  let positions = 0
  const counted: GraphSession = {
    ...session,
    run: (feeds) => {
      positions += feeds.inputs_embeds?.dims[1] ?? 0
      return session.run(feeds)
    },
  }
  const lane = new TextLane({
    tokenizer: await loadTokenizer(reference.checkpoint),
    languageModel,
    width: languageModel.width,
    embedTokens: await open('embedTokens'),
    decoder: createAppendingDecoder({ session: counted, model: languageModel }, 5),
    prefixes: new PrefixCache(prefixBytes),
    chunk: 16,
    maxAnswers: 5,
    maxBurstMs: 0,
  })
  const { data, shape: [tokens = 0, width = 0] } = goldenTensor(reference.tensors, 'connector')
  const visual = { data: Float32Array.from(data), tokens, width, connectMs: 0 }
  const settings = { endText: template.endText, temperature: 0, topP: 1, seed: 0, maxNewTokens: golden.newTokens, isConversation: true }
  const [answers, prefilled]: [Generation[], number[]] = [[], []]
  for (const prompt of prompts) {
    positions = 0
    const answering = lane.answer({ kind: 'generate', clip: 1, visual, prompt, ...settings }, quietHooks())
    await drain(lane)
    const answer = await answering
    answers.push(answer)
    // All but the last token of the answer were run, too.
    prefilled.push(positions - (answer.tokenIds.length - 1))
  }
  await lane.close()
  return { answers, prefilled }
}

test('three rounds: the same prompts, ids, tokens and texts', async () => {
  const tokenizer = await loadTokenizer(reference.checkpoint)
  for (const [place, prompt] of prompts.entries()) {
    expect(`${prompt.before}<image>${prompt.after}`).toBe(golden.rounds[place]?.prompt)
    const { before, after } = encodePrompt(tokenizer, prompt)
    expect([...before, IMAGE_MARKER, ...after]).toEqual(golden.rounds[place]?.promptIds)
  }
  const { answers } = await converse(1e9)
  expect(answers.map(({ tokenIds, text }) => ({ tokenIds, text }))).toEqual(golden.rounds.map(({ tokens, text }) => ({ tokenIds: tokens, text })))
})

test('a later round costs its own tokens: the answer before it, and its question', async () => {
  const { prefilled } = await converse(1e9)
  const lengths = golden.rounds.map(({ promptIds }) => promptIds.length)
  const [, ...grown] = lengths.map((length, place) => length - (lengths[place - 1] ?? 0))
  expect(prefilled.slice(1)).toEqual(grown)
})

test('without memory for what was taken in, all is taken in again, to the same tokens', async () => {
  const { answers, prefilled } = await converse(0)
  expect(answers.map(({ tokenIds }) => tokenIds)).toEqual(golden.rounds.map(({ tokens }) => tokens))
  const visual = bundle.manifest.connector.framesAlone === undefined ? 0 : goldenTensor(reference.tensors, 'connector').shape[0] ?? 0
  expect(prefilled).toEqual(golden.rounds.map(({ promptIds }) => promptIds.length - 1 + visual))
})
