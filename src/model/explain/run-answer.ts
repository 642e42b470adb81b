import { StreamError } from '../../errors.js'
import type { Manifest } from '../manifest.js'
import { embedTokens } from '../runtime/embedding.js'
import { joined } from '../runtime/joined.js'
import type { PromptLayout } from '../runtime/prompt-layout.js'
import type { GraphName, GraphSession } from '../runtime/session.js'
import type { Tokenizer } from '../tokenizer/tokenizer.js'
import { beginExplaining } from './explaining-decoder.js'
import { type ChosenToken, chosenToken } from './likeliest-tokens.js'

/** Rows in one run: the attention of all layers at once would be large, and so would the logits of a long answer. */
const CHUNK = 128

/** Opens a graph, works with it and lets it go. */
export type UseGraph = <Result>(graph: GraphName, work: (session: GraphSession) => Promise<Result>) => Promise<Result>

/** A token of an answer: what it was chosen from, and how much the model looked at each visual token when it chose it. */
export interface AnswerRow {
  readonly chosen: ChosenToken
  readonly weights: Float32Array
}

/** What is run. */
export interface AnswerRun {
  readonly layout: PromptLayout
  /** float32 `[tokens, width]`, at least those of the layout. */
  readonly visual: Float32Array
  /** Tokens of the answer. */
  readonly tokenIds: readonly number[]
  readonly tokenizer: Tokenizer
  readonly model: Manifest['languageModel']
  /** Called between two runs; throws where it is to be stopped. */
  readonly goOn: () => void
}

/**
 * Says what the prompt's last position and each token but the last looked at and predicted.
 *
 * @throws {StreamError} `MODEL_FAILED`, whatever `goOn` throws.
 */
export async function runAnswer(use: UseGraph, { layout, visual, tokenIds, tokenizer, model, goOn }: AnswerRun): Promise<readonly AnswerRow[]> {
  const { width } = model
  const { prompt, said } = await use('embedTokens', async (embedder) => {
    const embed = (ids: readonly number[]): Promise<Float32Array> => embedTokens(embedder, ids, width)
    const texts = [await embed(layout.before), visual.subarray(0, layout.visualTokens * width), await embed(layout.after)]
    return { prompt: joined(Float32Array, texts), said: await embed(tokenIds.slice(0, -1)) }
  })
  const last = prompt.length - width
  return use('explainingDecoder', async (decoder) => {
    const text = beginExplaining(decoder, model, layout.length + tokenIds.length)
    for (const rows of chunks(prompt.subarray(0, last), width)) {
      goOn()
      await text.append(rows, 1)
    }
    const explained: AnswerRow[] = []
    for (const rows of chunks(joined(Float32Array, [prompt.subarray(last), said]), width)) {
      goOn()
      const { logits, attention } = await text.append(rows, rows.length / width)
      const ids = tokenIds.slice(explained.length, explained.length + logits.length)
      explained.push(...ids.map((id, row) => ({
        chosen: chosenToken(tokenizer, expectRow(logits[row]), id),
        weights: expectRow(attention[row]).slice(layout.before.length, layout.before.length + layout.visualTokens),
      })))
    }
    return explained
  })
}

/** Rows of embeddings in pieces for one run each; copies, as a run takes whole buffers. */
function* chunks(embeddings: Float32Array, width: number): Generator<Float32Array> {
  for (let at = 0; at < embeddings.length; at += CHUNK * width) yield embeddings.slice(at, at + CHUNK * width)
}

function expectRow(row: Float32Array | undefined): Float32Array {
  if (row !== undefined) return row
  throw new StreamError('MODEL_FAILED', 'The decoder explained fewer tokens than the answer has.')
}
