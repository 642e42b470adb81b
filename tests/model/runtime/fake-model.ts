/**
 * A language model in a few lines, behind the interface of its graphs: after token `n` comes `n + 1`, whatever
 * the prompt. It counts what it is asked, so that a test sees how it was driven.
 */
import { Tensor } from 'onnxruntime-node'
import type { Manifest } from '../../../src/model/manifest.js'
import { createAppendingDecoder } from '../../../src/model/runtime/appending-decoder.js'
import type { JobHooks, Lane } from '../../../src/model/runtime/lane.js'
import { PrefixCache } from '../../../src/model/runtime/prefix-cache.js'
import type { GenerateJob } from '../../../src/model/runtime/protocol.js'
import type { GraphSession, Tensors } from '../../../src/model/runtime/session.js'
import type { TextSetup } from '../../../src/model/runtime/text-lane.js'
import type { Tokenizer } from '../../../src/model/tokenizer/tokenizer.js'

export const WIDTH = 2
export const VOCABULARY = 128

/** The shape of the fake. */
export const languageModel: Manifest['languageModel'] = {
  name: 'counting',
  width: WIDTH,
  keyValueHeads: [1],
  headSize: 1,
  vocabularySize: VOCABULARY,
  eosTokenIds: [VOCABULARY - 1],
  maxPromptTokens: null,
  maxPositions: 1000,
}

const float = { weights: 'fp32', activations: 'float32' } as const
/** Everything in float32. */
export const floatPrecisions: Manifest['precisions'] = { visionTower: float, connector: float, languageModel: float }

/** Ids are character codes. */
export const characterTokenizer: Tokenizer = {
  encode: (text) => Array.from(text, (character) => character.charCodeAt(0)),
  decoder: () => ({ push: (id) => (id === VOCABULARY - 1 ? '' : String.fromCharCode(id)), finish: () => '' }),
  token: (id) => String.fromCharCode(id),
  bosTokenId: undefined,
  cleansUp: false,
}

const floats = (values: readonly number[], shape: readonly number[]): Tensor =>
  new Tensor('float32', Float32Array.from(values), shape)

/** A session that answers with a function of its feeds, which it keeps in `runs`. */
export function fakeSession(
  graph: GraphSession['graph'],
  answer: (feeds: Tensors) => Tensors | Promise<Tensors>,
): GraphSession & { readonly runs: Tensors[] } {
  const runs: Tensors[] = []
  return {
    graph,
    runs,
    run: async (feeds) => {
      runs.push(feeds)
      return answer(feeds)
    },
    release: () => Promise.resolve(),
  }
}

const data = (tensor: Tensor | undefined): number[] => Array.from(tensor?.data as Float32Array | BigInt64Array, Number)

/** Embeds an id as `[id, 0]`. */
export function fakeEmbedder(): ReturnType<typeof fakeSession> {
  return fakeSession('embedTokens', ({ input_ids: ids }) => ({
    inputs_embeds: floats(data(ids).flatMap((id) => [id, 0]), [1, data(ids).length, WIDTH]),
  }))
}

/** Predicts, for each slot, the id after its last one; its cache holds all ids so far. */
export function fakeDecoder(): ReturnType<typeof fakeSession> {
  return fakeSession('appendingDecoder', ({ inputs_embeds: embeddings, past_lengths: lengths, 'past_key_values.0.key': past }) => {
    const [slots = 0, rows = 0] = embeddings?.dims ?? []
    const ids = data(embeddings).filter((_, index) => index % WIDTH === 0)
    const room = past?.dims[2] ?? 0
    const logits = Array.from({ length: slots }, (_, slot) => {
      const seen = data(past).slice(slot * room, slot * room + (data(lengths)[slot] ?? 0))
      const last = [...seen, ...ids.slice(slot * rows, (slot + 1) * rows)].at(-1) ?? 0
      return Array.from({ length: VOCABULARY }, (__, id) => (id === (last + 1) % VOCABULARY ? 9 : 0))
    })
    const fresh = floats(ids, [slots, 1, rows, 1])
    return { logits: floats(logits.flat(), [slots, 1, VOCABULARY]), 'present.0.key': fresh, 'present.0.value': fresh }
  })
}

/** What a fake text lane is made of, and what it was asked. */
export function fakeTextModel(changes: Partial<Manifest['languageModel']> = {}, limits: Partial<TextSetup> = {}) {
  const embedTokens = fakeEmbedder()
  const session = fakeDecoder()
  const model = { ...languageModel, ...changes }
  const setup: TextSetup = {
    tokenizer: characterTokenizer,
    languageModel: model,
    width: WIDTH,
    embedTokens,
    decoder: createAppendingDecoder({ session, model }, 8),
    prefixes: new PrefixCache(1e6),
    chunk: 100,
    maxAnswers: 8,
    maxBurstMs: 0,
    ...limits,
  }
  return { setup, embedTokens, session }
}

/** Hooks of a job that nobody stops and nobody listens to. */
export function quietHooks(changes: Partial<JobHooks> = {}): JobHooks {
  return { signal: new AbortController().signal, onDelta: () => undefined, onBegin: () => undefined, ...changes }
}

/** Steps a lane until nothing is left to do. */
export async function drain(lane: Lane): Promise<void> {
  while (lane.hasWork) await lane.step()
}

/** A question that ends in `a`, so that the fake answers `bcdef…`. */
export const countingJob: GenerateJob = {
  kind: 'generate',
  clip: 1,
  visual: { data: Float32Array.of(1, 2, 3, 4), tokens: 2, width: WIDTH, connectMs: 0 },
  prompt: { before: 'Q ', after: '\na' },
  endText: 'z',
  maxNewTokens: 5,
  temperature: 0,
  topP: 1,
  seed: 0,
}
