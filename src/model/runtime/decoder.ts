import { Tensor } from 'onnxruntime-node'
import { StreamError } from '../../errors.js'
import { GRAPH_FILES, type Manifest } from '../manifest.js'
import { type GraphSession, type Tensors, floatOutput } from './session.js'

/** A text under way: what the decoder has seen so far, as keys and values. */
export interface DecoderSequence {
  /** Positions seen so far. */
  readonly length: number
  /**
   * Appends positions and predicts the next token. A whole prompt or one token: the same operation.
   *
   * @param embeddings float32 `[rows, width]`, row by row.
   * @returns Logits after the last row, float32 `[vocabulary]`.
   * @throws {StreamError} `MODEL_FAILED`.
   */
  append(embeddings: Float32Array): Promise<Float32Array>
  /** Frees the keys and values. */
  dispose(): void
}

/**
 * Starts an empty text.
 *
 * ```
 * inputs_embeds f32 [1, rows, width] ─┐
 * attention_mask i64 [1, past + rows] ┼─ decoder ─► logits f32 [1, 1, vocabulary]
 * num_logits_to_keep i64 [] = 1       │             present.N.{key,value} f32 [1, heads, past + rows, headSize]
 * past_key_values.N.{key,value} ──────┘                  │
 *        ▲────────────── of the next append ─────────────┘
 * ```
 */
export function startSequence(session: GraphSession, model: Manifest['languageModel']): DecoderSequence {
  let past = emptyCache(model)
  let length = 0

  return {
    get length() {
      return length
    },
    async append(embeddings) {
      const rows = embeddings.length / model.width
      const outputs = await session.run({
        inputs_embeds: new Tensor('float32', embeddings, [1, rows, model.width]),
        attention_mask: new Tensor('int64', new BigInt64Array(length + rows).fill(1n), [1, length + rows]),
        num_logits_to_keep: new Tensor('int64', BigInt64Array.of(1n), []),
        ...past,
      })
      const logits = floatOutput(session, outputs, 'logits', model.vocabularySize)
      const grown = nextCache(outputs, model.layers)
      disposeAll(past)
      past = grown
      length += rows
      return logits
    },
    dispose() {
      disposeAll(past)
      past = {}
    },
  }
}

function emptyCache({ layers, keyValueHeads, headSize }: Manifest['languageModel']): Tensors {
  const empty = (): Tensor => new Tensor('float32', new Float32Array(0), [1, keyValueHeads, 0, headSize])
  return Object.fromEntries(cacheNames(layers).map(({ past }) => [past, empty()]))
}

function nextCache(outputs: Tensors, layers: number): Tensors {
  const entries = cacheNames(layers).map(({ past, present }) => {
    const tensor = outputs[present]
    if (tensor === undefined) {
      throw new StreamError('MODEL_FAILED', `Graph \`${GRAPH_FILES.decoder}\` gave no \`${present}\`.`)
    }
    return [past, tensor] as const
  })
  return Object.fromEntries(entries)
}

function cacheNames(layers: number): readonly { readonly past: string; readonly present: string }[] {
  return Array.from({ length: layers }, (_, layer) => layer).flatMap((layer) =>
    ['key', 'value'].map((kind) => ({ past: `past_key_values.${layer}.${kind}`, present: `present.${layer}.${kind}` })),
  )
}

function disposeAll(tensors: Tensors): void {
  for (const tensor of Object.values(tensors)) tensor.dispose()
}
