import { join } from 'node:path'
import { InferenceSession, type Tensor } from 'onnxruntime-node'
import { StreamError, asStreamError } from '../../errors.js'
import { GRAPH_FILES } from '../manifest.js'
import { type GateCells, throughGate } from './native-gate.js'

/** A graph of a bundle, by its key in `GRAPH_FILES`. */
export type GraphName = keyof typeof GRAPH_FILES

/** How one session uses the processor. */
export interface SessionThreads {
  /** Threads one operator is spread over, the calling one included. */
  readonly intraOpNumThreads: number
  /** Whether idle threads wait in a busy loop for the next operator: quicker, but takes cores from others. */
  readonly allowSpinning: boolean
}

/** Tensors by the graph's own input or output names. */
export type Tensors = Readonly<Record<string, Tensor>>

/** One graph, ready to run. Runs must not overlap. */
export interface GraphSession {
  readonly graph: GraphName
  /**
   * Runs the graph; blocks the calling thread until it's done.
   *
   * @throws {StreamError} `MODEL_FAILED`, naming the graph.
   */
  run(feeds: Tensors): Promise<Tensors>
}

/**
 * Opens a graph of a bundle on the CPU.
 *
 * @throws {StreamError} `MODEL_FAILED` where ONNX Runtime can't load it.
 */
export async function openSession(
  dir: string,
  graph: GraphName,
  threads: SessionThreads,
  gate: GateCells,
): Promise<GraphSession> {
  const session = await throughGate(gate, () => createSession(join(dir, GRAPH_FILES[graph]), threads))
  return {
    graph,
    async run(feeds) {
      try {
        // Every graph of a bundle gives tensors only: no sequences, no maps.
        return await throughGate(gate, () => session.run(feeds))
      } catch (error) {
        throw asStreamError(error, 'MODEL_FAILED', `Graph \`${GRAPH_FILES[graph]}\` failed`)
      }
    },
  }
}

async function createSession(path: string, threads: SessionThreads): Promise<InferenceSession> {
  try {
    return await InferenceSession.create(path, {
      executionProviders: ['cpu'],
      intraOpNumThreads: threads.intraOpNumThreads,
      interOpNumThreads: 1,
      // Nothing but what ends the process: errors come as exceptions, warnings are for whoever converts.
      logSeverityLevel: 4,
      extra: { session: { intra_op: { allow_spinning: threads.allowSpinning ? '1' : '0' } } },
    })
  } catch (error) {
    throw asStreamError(error, 'MODEL_FAILED', `\`${path}\` can't be loaded by ONNX Runtime`)
  }
}

/**
 * Takes a float32 output and checks its number of values.
 *
 * @throws {StreamError} `MODEL_FAILED` where the output is missing, of another type or of another size.
 */
export function floatOutput(session: GraphSession, outputs: Tensors, name: string, length?: number): Float32Array {
  const data: unknown = outputs[name]?.data
  if (data instanceof Float32Array && (length === undefined || data.length === length)) return data
  const found = data instanceof Float32Array ? `${data.length} values` : `type ${outputs[name]?.type ?? 'none'}`
  const expected = length === undefined ? 'float32' : `${length} float32 values`
  throw new StreamError(
    'MODEL_FAILED',
    `Graph \`${GRAPH_FILES[session.graph]}\` gave \`${name}\` as ${found} instead of ${expected}.`,
  )
}
