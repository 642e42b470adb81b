/**
 * A language model in a few lines, behind the interface of its graphs: after token `n` comes `n + 1`, whatever
 * the prompt. It counts what it is asked, so that a test sees how it was driven.
 */
import { Tensor } from 'onnxruntime-node'
import type { Manifest } from '../../../src/model/manifest.js'
import type { GenerateJob } from '../../../src/model/runtime/protocol.js'
import type { TextModel } from '../../../src/model/runtime/generate.js'
import type { GraphSession, Tensors } from '../../../src/model/runtime/session.js'
import type { Tokenizer } from '../../../src/model/tokenizer/tokenizer.js'

export const WIDTH = 2
export const VOCABULARY = 128

/** The shape of the fake. */
export const languageModel: Manifest['languageModel'] = {
  name: 'counting',
  width: WIDTH,
  layers: 1,
  keyValueHeads: 1,
  headSize: 1,
  vocabularySize: VOCABULARY,
  eosTokenIds: [VOCABULARY - 1],
  maxPromptTokens: null,
  maxPositions: 1000,
}

/** Ids are character codes. */
export const characterTokenizer: Tokenizer = {
  encode: (text) => Array.from(text, (character) => character.charCodeAt(0)),
  piece: (id) => (id === VOCABULARY - 1 ? { kind: 'none' } : { kind: 'bytes', bytes: Uint8Array.of(id) }),
  bosTokenId: undefined,
  spacesBetweenAdded: false,
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
  }
}

const data = (tensor: Tensor | undefined): number[] => Array.from(tensor?.data as Float32Array | BigInt64Array, Number)

/** Embeds an id as `[id, 0]`. */
export function fakeEmbedder(): ReturnType<typeof fakeSession> {
  return fakeSession('embedTokens', ({ input_ids: ids }) => ({
    inputs_embeds: floats(data(ids).flatMap((id) => [id, 0]), [1, data(ids).length, WIDTH]),
  }))
}

/** Predicts the id after the last one; its cache holds all ids so far. `caches` keeps each cache it gave. */
export function fakeDecoder(): ReturnType<typeof fakeSession> & { readonly caches: Tensor[] } {
  const caches: Tensor[] = []
  const session = fakeSession('decoder', ({ inputs_embeds: embeddings, 'past_key_values.0.key': past }) => {
    const ids = data(embeddings).filter((_, index) => index % WIDTH === 0)
    const seen = [...data(past), ...ids]
    const logits = Array.from({ length: VOCABULARY }, (_, id) => (id === ((ids.at(-1) ?? 0) + 1) % VOCABULARY ? 9 : 0))
    const cache = floats(seen, [1, 1, seen.length, 1])
    caches.push(cache)
    return { logits: floats(logits, [1, 1, VOCABULARY]), 'present.0.key': cache, 'present.0.value': cache }
  })
  return { ...session, caches }
}

/** The whole fake. */
export function fakeTextModel(changes: Partial<Manifest['languageModel']> = {}) {
  const embedTokens = fakeEmbedder()
  const decoder = fakeDecoder()
  return { tokenizer: characterTokenizer, embedTokens, decoder, languageModel: { ...languageModel, ...changes } } satisfies TextModel
}

/** A question that ends in `a`, so that the fake answers `bcdef…`. */
export const countingJob: GenerateJob = {
  kind: 'generate',
  visual: { data: Float32Array.of(1, 2, 3, 4), tokens: 2, width: WIDTH, connectMs: 0 },
  prompt: { before: 'Q ', after: '\na' },
  endText: 'z',
  maxNewTokens: 5,
  temperature: 0,
  topP: 1,
  seed: 0,
}
