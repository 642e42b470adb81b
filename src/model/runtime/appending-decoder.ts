import { Tensor } from 'onnxruntime-node'

import type { Manifest } from '../manifest.js'
import { type BatchMember, DecoderBatch } from './decoder-batch.js'
import { KeyValueCache } from './key-value-cache.js'
import type { DecoderSequence, LanguageDecoder } from './language-decoder.js'
import { type GraphSession, type Tensors, floatOutput } from './session.js'

/** What a decoder runs with. */
interface DecoderSetup {
  readonly session: GraphSession
  readonly model: Manifest['languageModel']
}

/**
 * The decoder whose cache lies in this process's memory: read in place, appended to, never copied by a run.
 *
 * ```
 * append    a sequence in a cache of its own       [1, heads, room, headSize]
 * step      all sequences side by side in one      [slots, heads, room, headSize]
 * ```
 *
 * A sequence is copied once, into the batch, at its first step, and leaves its own cache to its prefixes.
 *
 * @param width Most sequences in a step.
 */
export function createAppendingDecoder(setup: DecoderSetup, width: number): LanguageDecoder {
  const { model } = setup
  const members = new WeakMap<DecoderSequence, BatchMember>()
  const batch = new DecoderBatch(model)

  const begin = (own: KeyValueCache): DecoderSequence => {
    const member: BatchMember = { own }
    const sequence = createSequence(setup, member, begin)
    members.set(sequence, member)
    return sequence
  }

  return {
    width,
    begin: (room) => begin(new KeyValueCache(model, 1, room)),
    async step(sequences, embeddings) {
      const slots = batch.seat(sequences.flatMap((sequence) => members.get(sequence) ?? []))
      const logits = await runRows(setup, { cache: batch.cache, slots: slots.length, embeddings: toSlots(embeddings, slots) })
      return slots.map((slot) => logits.subarray(slot * model.vocabularySize, (slot + 1) * model.vocabularySize))
    },
    rest: () => {
      batch.clear()
    },
  }
}

function createSequence(setup: DecoderSetup, member: BatchMember, begin: (own: KeyValueCache) => DecoderSequence): DecoderSequence {
  const ownCache = (): KeyValueCache => {
    if (member.own !== undefined) return member.own
    throw new Error('A sequence that takes part in steps has no cache of its own any more.')
  }
  return {
    get length() {
      return ownCache().lengths[0] ?? 0
    },
    append: (embeddings) => runRows(setup, { cache: ownCache(), slots: 1, embeddings }),
    prefix() {
      const cache = ownCache()
      const length = cache.lengths[0] ?? 0
      return {
        length,
        bytes: cache.bytes,
        begin: (room) => {
          const copy = new KeyValueCache(setup.model, 1, Math.max(room, length))
          copy.copy(0, { cache, slot: 0 }, length)
          return begin(copy)
        },
        dispose: () => undefined,
      }
    },
    // The memory is the garbage collector's once nobody refers to it: neither this nor a prefix.
    dispose: () => {
      member.own = undefined
    },
  }
}

/**
 * Runs new rows through the decoder, as many for each of the first slots.
 *
 * ```
 * inputs_embeds f32 [slots, rows, width] ─┐
 * past_lengths i64 [slots]                ┼─ decoder ─► logits f32 [slots, 1, vocabulary]
 * num_logits_to_keep i64 [] = 1           │             present.N.{key,value} f32 [slots, heads, rows, headSize]
 * past_key_values.N.{key,value} ──────────┘                  │
 *        ▲───────────────── appended ────────────────────────┘
 * ```
 */
async function runRows(
  { session, model }: DecoderSetup,
  { cache, slots, embeddings }: { cache: KeyValueCache; slots: number; embeddings: Float32Array },
): Promise<Float32Array> {
  const rows = embeddings.length / model.width / slots
  const feeds: Tensors = {
    inputs_embeds: new Tensor('float32', embeddings, [slots, rows, model.width]),
    past_lengths: new Tensor('int64', BigInt64Array.from(cache.lengths.slice(0, slots), BigInt), [slots]),
    num_logits_to_keep: new Tensor('int64', BigInt64Array.of(1n), []),
    ...cache.feeds(slots),
  }
  const outputs = await session.run(feeds)
  const logits = floatOutput(session, outputs, 'logits', slots * model.vocabularySize)
  cache.append(outputs, slots, rows)
  return logits
}

/** Rows in the order of their sequences' slots. */
function toSlots(rows: Float32Array, slots: readonly number[]): Float32Array {
  const width = rows.length / slots.length
  const ordered = new Float32Array(rows.length)
  slots.forEach((slot, place) => {
    ordered.set(rows.subarray(place * width, (place + 1) * width), slot * width)
  })
  return ordered
}
