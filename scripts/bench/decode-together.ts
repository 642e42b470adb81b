import { createAppendingDecoder } from '../../src/model/runtime/appending-decoder.js'
import { openBundle } from '../../src/model/runtime/bundle.js'
import type { DecoderSequence, LanguageDecoder } from '../../src/model/runtime/language-decoder.js'
import { createGate } from '../../src/model/runtime/native-gate.js'
import { openSession } from '../../src/model/runtime/session.js'
import { planThreads } from '../../src/model/runtime/threads.js'
import { type Row, median } from './measure.js'
import { smallValues } from './random-numbers.js'

/** How answers side by side are timed. */
export interface TogetherBench extends RoundLength {
  readonly bundle: string
  readonly threads: number
  /** In each of which prompt, one answer and all answers are timed. */
  readonly rounds: number
}

/** How long a round is. */
interface RoundLength {
  /** Answers at once. */
  readonly answers: number
  /** Positions of each one's prompt. */
  readonly prompt: number
  /** Positions of a prompt in one run. */
  readonly chunk: number
  /** Counted steps, of one answer and of all. */
  readonly steps: number
}

/** Median milliseconds of a round's runs. */
interface RoundTimes {
  /** A chunk of the prompt. */
  readonly chunk: number
  /** A step of one answer. */
  readonly alone: number
  /** A step of all answers. */
  readonly together: number
}

/**
 * Times the decoder alone, without anything around it: tokens of several answers side by side against what is
 * possible, which is so many times one answer's, or as many positions as a prompt is taken in with, whichever is less.
 */
export async function benchDecodeTogether({ bundle, threads, rounds, ...length }: TogetherBench): Promise<Row> {
  const { manifest: { languageModel: model } } = await openBundle(bundle)
  const session = await openSession(bundle, 'appendingDecoder', planThreads(threads).appendingDecoder, createGate())
  const decoder = createAppendingDecoder({ session, model }, length.answers)
  const times: RoundTimes[] = []
  for (let round = 0; round < rounds; round += 1) times.push(await timeRound(decoder, model.width, length))
  return togetherRow(`${model.width} wide, ${model.keyValueHeads.length} layers`, times, length)
}

/** Prompt, one answer, all answers: all of a round go on from one prompt, and each has a cache of its own. */
async function timeRound(decoder: LanguageDecoder, width: number, { answers, prompt, chunk, steps }: RoundLength): Promise<RoundTimes> {
  const first = decoder.begin(prompt)
  const chunkMs: number[] = []
  for (let at = 0; at < prompt; at += chunk) {
    const rows = Math.min(chunk, prompt - at)
    chunkMs.push(await timed(() => first.append(smallValues(rows * width, at))) * (chunk / rows))
  }
  const stepMs = async (count: number): Promise<number> => {
    // The first itself never steps, and keeps its cache: others begin with it.
    const sequences = Array.from({ length: count }, () => first.prefix().begin(prompt + steps + 1))
    return median(await timeSteps(decoder, sequences, { width, steps }))
  }
  return { chunk: median(chunkMs), alone: await stepMs(1), together: await stepMs(answers) }
}

/** Milliseconds of each step after the first, in which sequences are copied into the batch. */
async function timeSteps(
  decoder: LanguageDecoder,
  sequences: readonly DecoderSequence[],
  { width, steps }: { width: number; steps: number },
): Promise<readonly number[]> {
  const times: number[] = []
  for (let step = 0; step <= steps; step += 1) {
    times.push(await timed(() => decoder.step(sequences, smallValues(sequences.length * width, step))))
  }
  for (const sequence of sequences) sequence.dispose()
  decoder.rest()
  return times.slice(1)
}

/** What the median of all rounds comes to. */
export function togetherRow(decoder: string, rounds: readonly RoundTimes[], { answers, prompt, chunk }: RoundLength): Row {
  const perSecond = (part: keyof RoundTimes, positions: number): number => (positions * 1000) / median(rounds.map((round) => round[part]))
  const [one, all, prefill] = [perSecond('alone', 1), perSecond('together', answers), perSecond('chunk', chunk)]
  const possible = Math.min(answers * one, prefill)
  return {
    what: `decoder alone, ${decoder}: ${answers} answers side by side, ${prompt} positions each`,
    figure: `${all.toFixed(1)} tokens/s (one: ${one.toFixed(1)})`,
    against: `${possible.toFixed(1)}: the less of ${answers} times one and prefill (${prefill.toFixed(1)} positions/s, ${chunk} at once)`,
    ratio: all / possible,
    goal: { atLeast: 0.7 },
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await work()
  return performance.now() - startedAt
}
