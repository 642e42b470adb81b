import { join } from 'node:path'
import { InferenceSession, type Tensor } from 'onnxruntime-node'
import { StreamError, asStreamError } from '../../errors.js'
import type { DeviceKind } from '../device/device.js'
import { GRAPH_FILES } from '../manifest.js'
import { type GateCells, throughGate } from './native-gate.js'

/** A graph of a bundle, by its key in `GRAPH_FILES`. */
export type GraphName = keyof typeof GRAPH_FILES

/** How one session uses the processor, and the device beside it. */
export interface SessionSettings {
  /** Threads one operator is spread over, the calling one included. */
  readonly intraOpNumThreads: number
  /** Whether idle threads wait in a busy loop for the next operator: quicker, but takes cores from others. */
  readonly allowSpinning: boolean
  /** What runs the operators; the processor runs those that the device can't. @default 'cpu' */
  readonly provider?: DeviceKind
  /**
   * Outputs that stay in the memory of a `webgpu` device, to be handed to the next run and disposed of after it. Their
   * values can't be read: onnxruntime-node 1.30 ends the process where somebody tries.
   *
   * @default none
   */
  readonly keptOutputs?: readonly string[]
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
  /** Gives its weights' memory back, which no garbage collector sees. Not to be run again. */
  release(): Promise<void>
}

/**
 * Opens a graph of a bundle.
 *
 * @throws {StreamError} `MODEL_FAILED` where ONNX Runtime can't load it.
 */
export async function openSession(
  dir: string,
  graph: GraphName,
  settings: SessionSettings,
  gate: GateCells,
): Promise<GraphSession> {
  const session = await throughGate(gate, () => createSession(join(dir, GRAPH_FILES[graph]), settings))
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
    release: () => session.release(),
  }
}

async function createSession(path: string, settings: SessionSettings): Promise<InferenceSession> {
  const { provider = 'cpu', keptOutputs = [] } = settings
  try {
    return await InferenceSession.create(path, {
      executionProviders: [provider],
      preferredOutputLocation: Object.fromEntries(keptOutputs.map((name) => [name, 'gpu-buffer'] as const)),
      intraOpNumThreads: settings.intraOpNumThreads,
      interOpNumThreads: 1,
      // Nothing but what ends the process: errors come as exceptions, warnings are for whoever converts.
      logSeverityLevel: 4,
      extra: { session: { intra_op: { allow_spinning: settings.allowSpinning ? '1' : '0' } } },
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
  throw unexpected(session, outputs, { name, type: 'float32', length })
}

/**
 * Takes a float16 output as bit patterns, and checks its number of values.
 *
 * @throws {StreamError} `MODEL_FAILED` where the output is missing, of another type or of another size.
 */
export function float16Output(session: GraphSession, outputs: Tensors, name: string, length: number): Uint16Array {
  const { type, data } = outputs[name] ?? {}
  // Where JavaScript has a `Float16Array`, the runtime gives that.
  if (type === 'float16' && ArrayBuffer.isView(data) && data.length === length) return new Uint16Array(data.buffer, data.byteOffset, length)
  throw unexpected(session, outputs, { name, type: 'float16', length })
}

/** An output that isn't what a bundle's graph has to give. */
function unexpected(
  { graph }: GraphSession,
  outputs: Tensors,
  { name, type, length }: { readonly name: string; readonly type: Tensor.Type; readonly length: number | undefined },
): StreamError {
  const output = outputs[name]
  const found = output?.type === type ? `${output.data.length} values` : `type ${output?.type ?? 'none'}`
  const expected = length === undefined ? type : `${length} ${type} values`
  return new StreamError('MODEL_FAILED', `Graph \`${GRAPH_FILES[graph]}\` gave \`${name}\` as ${found} instead of ${expected}.`)
}
