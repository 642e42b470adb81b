/**
 * Times our language model: prefill and decode, and prints the seconds as JSON.
 *
 * ```sh
 * npx jiti scripts/bench/text.ts BUNDLE --prompt 600 --tokens 64
 * ```
 *
 * The prompt is that many visual tokens, with the template's text around them: a little more than is counted.
 * `peers/llama_cpp_text.py` and `optimum-style.ts` do the same with others.
 */
import { loadRuntime } from '../../src/model/load.js'
import { openBundle } from '../../src/model/runtime/bundle.js'
import type { VisualTokens } from '../../src/model/model.js'
import { median } from './measure.js'
import { peakMemoryBytes } from './memory.js'
import { smallValues } from './random-numbers.js'
import { textArguments } from './text-arguments.js'
import type { TextTimes } from './text-times.js'

const { bundle, prompt, tokens, repeats, threads } = textArguments()
const { manifest: { languageModel: { width } } } = await openBundle(bundle)
const model = await loadRuntime(bundle, { threads, device: 'cpu' })

/** @param seed Each prompt is another, so that nothing of an earlier one can be used again. */
async function answer(length: number, maxNewTokens: number, seed: number): Promise<{ prefill: number; decode: number }> {
  const visual: VisualTokens = { data: smallValues(length * width, seed), tokens: length, width, connectMs: 0 }
  const { timingsMs, tokens: counted } = await model.generate(visual, '', { maxNewTokens })
  if (counted.answer !== maxNewTokens) throw new Error(`The answer has ${counted.answer} tokens instead of ${maxNewTokens}.`)
  return timingsMs
}

// Every weight is read once before anything counts.
await answer(8, 2, 0)
const runs: { prefill: number; decode: number }[] = []
for (let seed = 1; seed <= repeats; seed += 1) runs.push(await answer(prompt, tokens, seed))
await model.dispose()

const times: TextTimes = {
  prefill: median(runs.map((run) => run.prefill)) / 1000,
  decode: median(runs.map((run) => run.decode)) / 1000,
  peakBytes: peakMemoryBytes(),
}
process.stdout.write(`${JSON.stringify(times)}\n`)
