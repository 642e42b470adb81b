import { openBundle } from '../../src/model/runtime/bundle.js'
import { createAppendingDecoder } from '../../src/model/runtime/appending-decoder.js'
import type { DecoderSequence } from '../../src/model/runtime/language-decoder.js'
import { createGate } from '../../src/model/runtime/native-gate.js'
import { openSession } from '../../src/model/runtime/session.js'
import { planThreads } from '../../src/model/runtime/threads.js'
import { type Row, median } from './measure.js'
import { smallValues } from './random-numbers.js'

/** How answers side by side are timed. */
export interface TogetherBench {
  readonly bundle: string
  readonly threads: number
  /** Answers at once. */
  readonly answers: number
  /** Positions of each one's prompt. */
  readonly prompt: number
  /** Counted steps, of one answer and of all in turn. */
  readonly steps: number
  /** Positions of a prompt in one run. */
  readonly chunk: number
}

/**
 * Times tokens of several answers side by side against what is possible: so many times one answer's, or as many
 * positions as a prompt is taken in with, whichever is less.
 */
export async function benchDecodeTogether({ bundle, threads, answers, prompt, steps, chunk }: TogetherBench): Promise<Row> {
  const { manifest: { languageModel: model } } = await openBundle(bundle)
  const session = await openSession(bundle, 'appendingDecoder', planThreads(threads).appendingDecoder, createGate())
  const decoder = createAppendingDecoder({ session, model }, answers)
  const room = prompt + 4 * steps
  const first = decoder.begin(room)
  const prefillMs: number[] = []
  for (let at = 0; at < prompt; at += chunk) {
    const rows = Math.min(chunk, prompt - at)
    prefillMs.push(await timed(() => first.append(smallValues(rows * model.width, at))) * (chunk / rows))
  }
  const sequences = Array.from({ length: answers }, () => first.prefix().begin(room))

  const step = (members: readonly DecoderSequence[], seed: number): Promise<number> =>
    timed(() => decoder.step(members, smallValues(members.length * model.width, seed)))
  const alone: number[] = []
  const together: number[] = []
  // One by itself first: a sequence that leaves never comes back.
  for (let count = 0; count < steps; count += 1) alone.push(await step([first], count))
  for (let count = 0; count < steps; count += 1) together.push(await step(sequences, count))
  const rates = {
    one: 1000 / median(alone.slice(1)),
    all: (answers * 1000) / median(together.slice(1)),
    prefill: (chunk * 1000) / median(prefillMs),
  }
  const possible = Math.min(answers * rates.one, rates.prefill)
  return {
    what: `decoder ${model.width} wide, ${model.layers} layers: ${answers} answers side by side, ${prompt} positions each`,
    figure: `${rates.all.toFixed(1)} tokens/s (one alone: ${rates.one.toFixed(1)})`,
    against: `${possible.toFixed(1)}: the less of ${answers} times one and prefill (${rates.prefill.toFixed(1)} positions/s, ${chunk} at once)`,
    ratio: rates.all / possible,
    goal: { atLeast: 0.7 },
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await work()
  return performance.now() - startedAt
}
