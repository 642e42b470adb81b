import { availableParallelism } from 'node:os'
import { expectInteger } from '../../checks.js'
import type { GraphName, SessionSettings } from './session.js'

/** More than any machine has: a mistyped number fails here and not in the operating system. */
const MAX_THREADS = 1024

/** Threads of each session. */
export type ThreadPlan = Readonly<Record<GraphName, SessionSettings>>

/**
 * Plans the threads of all sessions of a model.
 *
 * ONNX Runtime gives each session its own pool of `intraOpNumThreads - 1` threads. The sessions run in turn,
 * so each may have all cores, as long as a pool that isn't running sleeps: only the decoder, whose operators
 * are many and short, spins between them. `embed_tokens` is a single look-up and gets no pool.
 *
 * @param threads Threads for each session. @default all cores this process may use
 * @throws {StreamError} `SETTING_INVALID` where `threads` isn't an integer from 1 to `MAX_THREADS`.
 */
export function planThreads(threads: number = availableParallelism()): ThreadPlan {
  const all = expectInteger('threads', threads, 1, MAX_THREADS)
  const sleeping = { intraOpNumThreads: all, allowSpinning: false }
  return {
    preprocess: sleeping,
    visionEncoder: sleeping,
    connector: sleeping,
    frameConnector: sleeping,
    // A single addition.
    joinFrames: { intraOpNumThreads: 1, allowSpinning: false },
    embedTokens: { intraOpNumThreads: 1, allowSpinning: false },
    decoder: { intraOpNumThreads: all, allowSpinning: true },
    appendingDecoder: { intraOpNumThreads: all, allowSpinning: true },
    explainingConnector: sleeping,
    explainingDecoder: sleeping,
  }
}
