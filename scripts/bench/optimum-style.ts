/**
 * Times a language model as transformers.js runs the graphs that optimum exports, and prints the seconds as JSON.
 *
 * ```sh
 * npx jiti scripts/bench/optimum-style.ts BUNDLE --prompt 600 --tokens 64
 * ```
 *
 * The bundle is one that was converted with `--attention primitive`: its `decoder_model_merged.onnx` has the inputs and
 * outputs of optimum's, keys and values repeated for their query heads, `MatMul` and `Softmax`, the past joined by
 * `Concat`. As there, every token is a run of `embed_tokens.onnx` and one of the decoder, all of the past goes through
 * JavaScript, and the likeliest token is looked for in JavaScript.
 */
import { join } from 'node:path'

import { InferenceSession, Tensor } from 'onnxruntime-node'

import { GRAPH_FILES } from '../../src/model/manifest.js'
import { openBundle } from '../../src/model/runtime/bundle.js'
import { likeliest } from '../../src/model/runtime/sampler.js'
import { median } from './measure.js'
import { peakMemoryBytes } from './memory.js'
import { smallValues } from './random-numbers.js'
import { textArguments } from './text-arguments.js'
import type { TextTimes } from './text-times.js'

type Tensors = Readonly<Record<string, Tensor>>

const { bundle, prompt, tokens, repeats, threads } = textArguments()
const { manifest: { attention, languageModel } } = await openBundle(bundle)
if (attention !== 'primitive') throw new Error(`${bundle} has fused attention: convert with --attention primitive.`)
const open = (file: string): Promise<InferenceSession> =>
  InferenceSession.create(join(bundle, file), { intraOpNumThreads: threads, logSeverityLevel: 4 })
const embedder = await open(GRAPH_FILES.embedTokens)
const decoder = await open(GRAPH_FILES.decoder)

/** Seconds to the first token, and for all others. */
async function answer(length: number, newTokens: number, seed: number): Promise<{ prefill: number; decode: number }> {
  const { width } = languageModel
  const startedAt = performance.now()
  let { id, past } = await step(new Tensor('float32', smallValues(length * width, seed), [1, length, width]), emptyPast(), length)
  const firstAt = performance.now()
  for (let count = 1; count < newTokens; count += 1) {
    const { inputs_embeds: embedding } = await embedder.run({ input_ids: new Tensor('int64', BigInt64Array.of(BigInt(id)), [1, 1]) })
    if (embedding === undefined) throw new Error('No embedding came.')
    ;({ id, past } = await step(embedding, past, length + count))
  }
  return { prefill: (firstAt - startedAt) / 1000, decode: (performance.now() - firstAt) / 1000 }
}

async function step(embeddings: Tensor, past: Tensors, total: number): Promise<{ id: number; past: Tensors }> {
  const outputs = await decoder.run({
    inputs_embeds: embeddings,
    attention_mask: new Tensor('int64', new BigInt64Array(total).fill(1n), [1, total]),
    num_logits_to_keep: new Tensor('int64', BigInt64Array.of(1n), []),
    ...past,
  })
  const logits: unknown = outputs.logits?.data
  if (!(logits instanceof Float32Array)) throw new Error('No logits came.')
  const present = Object.entries(outputs).filter(([name]) => name.startsWith('present.'))
  return { id: likeliest(logits), past: Object.fromEntries(present.map(([name, tensor]) => [name.replace('present', 'past_key_values'), tensor])) }
}

function emptyPast(): Tensors {
  const empty = (heads: number): Tensor => new Tensor('float32', new Float32Array(0), [1, heads, 0, languageModel.headSize])
  return Object.fromEntries(languageModel.keyValueHeads.flatMap((heads, layer) =>
    ['key', 'value'].map((kind) => [`past_key_values.${layer}.${kind}`, empty(heads)])))
}

// Every weight is read once before anything counts.
await answer(8, 2, 0)
const runs: { prefill: number; decode: number }[] = []
for (let seed = 1; seed <= repeats; seed += 1) runs.push(await answer(prompt, tokens, seed))

const times: TextTimes = {
  prefill: median(runs.map(({ prefill }) => prefill)),
  decode: median(runs.map(({ decode }) => decode)),
  peakBytes: peakMemoryBytes(),
}
process.stdout.write(`${JSON.stringify(times)}\n`)
