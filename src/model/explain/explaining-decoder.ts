import { Tensor } from 'onnxruntime-node'

import type { Manifest } from '../manifest.js'
import { KeyValueCache } from '../runtime/key-value-cache.js'
import { type GraphSession, type Tensors, floatOutput } from '../runtime/session.js'

/** What rows of a text predict, and where each looked. */
export interface ExplainedRows {
  /** Logits of each of the last rows that were asked for, float32 `[vocabulary]`. */
  readonly logits: readonly Float32Array[]
  /** Of each row, how much it looked at each position up to its own: float32 `[positions of the text so far]`, sums to 1. */
  readonly attention: readonly Float32Array[]
}

/** A text that is run to see where it looks. */
export interface ExplainingText {
  /**
   * Runs rows behind those before.
   *
   * @param embeddings float32 `[rows, width]`.
   * @param kept Of how many rows, from the end, the logits are wanted.
   * @throws {StreamError} `MODEL_FAILED`.
   */
  append(embeddings: Float32Array, kept: number): Promise<ExplainedRows>
}

/**
 * Begins a text with the decoder that says where it looks.
 *
 * ```
 * decoder_explaining ─┬ logits f32 [1, kept, vocabulary]
 *                     ├ present.N.{key,value} ─► cache
 *                     └ attention f32 [1, rows, room + rows]: of a row, what of it is text
 * ```
 *
 * @param room Positions of the whole text.
 */
export function beginExplaining(session: GraphSession, model: Manifest['languageModel'], room: number): ExplainingText {
  const cache = new KeyValueCache(model, 1, room)
  return {
    async append(embeddings, kept) {
      const rows = embeddings.length / model.width
      const past = cache.lengths[0] ?? 0
      const feeds: Tensors = {
        inputs_embeds: new Tensor('float32', embeddings, [1, rows, model.width]),
        past_lengths: new Tensor('int64', BigInt64Array.of(BigInt(past)), [1]),
        num_logits_to_keep: new Tensor('int64', BigInt64Array.of(BigInt(kept)), []),
        ...cache.feeds(1),
      }
      const outputs = await session.run(feeds)
      const columns = cache.room + rows
      const looks = floatOutput(session, outputs, 'attention', rows * columns)
      const logits = floatOutput(session, outputs, 'logits', kept * model.vocabularySize)
      cache.append(outputs, 1, rows)
      const lookOf = (row: number): Float32Array => {
        const look = looks.subarray(row * columns, (row + 1) * columns)
        const seen = new Float32Array(past + rows)
        seen.set(look.subarray(0, past))
        seen.set(look.subarray(cache.room), past)
        return seen
      }
      return {
        logits: numbers(kept).map((row) => logits.subarray(row * model.vocabularySize, (row + 1) * model.vocabularySize)),
        attention: numbers(rows).map(lookOf),
      }
    },
  }
}

const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_, number) => number)
