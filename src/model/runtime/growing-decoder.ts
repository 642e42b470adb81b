import { Tensor } from 'onnxruntime-node'

import { StreamError } from '../../errors.js'
import { GRAPH_FILES, type Manifest } from '../manifest.js'
import type { DecoderSequence, LanguageDecoder } from './language-decoder.js'
import { type GraphSession, type Tensors, floatOutput } from './session.js'

/** What a decoder runs with. */
interface DecoderSetup {
  readonly session: GraphSession
  /** Its language model, and the type of its cache. */
  readonly manifest: Pick<Manifest, 'languageModel' | 'precisions'>
}

/** An empty cache of each type; 16-bit numbers come as their bits. */
const EMPTY = { float32: new Float32Array(0), float16: new Uint16Array(0) }
const BYTES = { float32: 4, float16: 2 }

const cacheType = ({ precisions }: DecoderSetup['manifest']): keyof typeof EMPTY => precisions.languageModel.activations

/** The tensors of a cache, and how many sequences and prefixes refer to them. */
interface SharedCache {
  readonly tensors: Tensors
  readonly length: number
  users: number
}

/**
 * The decoder whose cache comes out of each run grown by its new rows and goes into the next: for devices
 * that keep tensors themselves, where none of it passes through this process's memory.
 *
 * Sequences step one after another.
 */
export function createGrowingDecoder(setup: DecoderSetup): LanguageDecoder {
  return {
    width: 1,
    begin: () => createSequence(setup, { tensors: emptyCache(setup.manifest), length: 0, users: 1 }),
    async step(sequences, embeddings) {
      const { width } = setup.manifest.languageModel
      const logits: Float32Array[] = []
      for (const [place, sequence] of sequences.entries()) {
        logits.push(await sequence.append(embeddings.slice(place * width, (place + 1) * width)))
      }
      return logits
    },
    // Each sequence frees its own.
    rest: () => undefined,
  }
}

/**
 * ```
 * inputs_embeds f32 [1, rows, width] ─┐
 * attention_mask i64 [1, past + rows] ┼─ decoder ─► logits f32 [1, 1, vocabulary]
 * num_logits_to_keep i64 [] = 1       │             present.N.{key,value} f32 [1, heads, past + rows, headSize]
 * past_key_values.N.{key,value} ──────┘                  │
 *        ▲────────────── of the next append ─────────────┘
 * ```
 */
function createSequence(setup: DecoderSetup, beginning: SharedCache): DecoderSequence {
  const { session, manifest } = setup
  const { languageModel: model } = manifest
  let isDisposed = false
  let cache = beginning
  return {
    get length() {
      return cache.length
    },
    async append(embeddings) {
      const rows = embeddings.length / model.width
      const length = cache.length + rows
      const outputs = await session.run({
        inputs_embeds: new Tensor('float32', embeddings, [1, rows, model.width]),
        attention_mask: new Tensor('int64', new BigInt64Array(length).fill(1n), [1, length]),
        num_logits_to_keep: new Tensor('int64', BigInt64Array.of(1n), []),
        ...cache.tensors,
      })
      const grown = takeOutputs(outputs, () => ({ tensors: nextCache(outputs, model.keyValueHeads), length, users: 1 }))
      const logits = takeOutputs(outputs, () => floatOutput(session, outputs, 'logits', model.vocabularySize))
      release(cache)
      cache = grown
      return logits
    },
    prefix() {
      const shared = cache
      shared.users += 1
      return {
        length: shared.length,
        bytes: bytesOf(shared, manifest),
        begin: () => {
          shared.users += 1
          return createSequence(setup, shared)
        },
        dispose: () => {
          release(shared)
        },
      }
    },
    dispose() {
      if (!isDisposed) release(cache)
      isDisposed = true
    },
  }
}

/** What is made of a run's outputs; where that fails their memory is freed. */
function takeOutputs<Taken>(outputs: Tensors, take: () => Taken): Taken {
  try {
    return take()
  } catch (error) {
    for (const tensor of Object.values(outputs)) tensor.dispose()
    throw error
  }
}

function release(cache: SharedCache): void {
  cache.users -= 1
  if (cache.users > 0) return
  for (const tensor of Object.values(cache.tensors)) tensor.dispose()
}

function bytesOf({ length }: SharedCache, manifest: DecoderSetup['manifest']): number {
  const { keyValueHeads, headSize } = manifest.languageModel
  const heads = keyValueHeads.reduce((sum, ofLayer) => sum + ofLayer)
  return 2 * heads * headSize * length * BYTES[cacheType(manifest)]
}

function emptyCache(manifest: DecoderSetup['manifest']): Tensors {
  const { keyValueHeads, headSize } = manifest.languageModel
  const type = cacheType(manifest)
  const empty = (heads: number): Tensor => new Tensor(type, EMPTY[type], [1, heads, 0, headSize])
  return Object.fromEntries(cacheNames(keyValueHeads).map(({ past, heads }) => [past, empty(heads)]))
}

function nextCache(outputs: Tensors, keyValueHeads: readonly number[]): Tensors {
  const entries = cacheNames(keyValueHeads).map(({ past, present }) => {
    const tensor = outputs[present]
    if (tensor === undefined) {
      throw new StreamError('MODEL_FAILED', `Graph \`${GRAPH_FILES.decoder}\` gave no \`${present}\`.`)
    }
    return [past, tensor] as const
  })
  return Object.fromEntries(entries)
}

/** One tensor of a cache: what it is called on its way in and out, and its heads. */
interface CacheName {
  readonly past: string
  readonly present: string
  readonly heads: number
}

function cacheNames(keyValueHeads: readonly number[]): readonly CacheName[] {
  return keyValueHeads.flatMap((heads, layer) =>
    ['key', 'value'].map((kind) => ({ past: `past_key_values.${layer}.${kind}`, present: `present.${layer}.${kind}`, heads })),
  )
}
