import { join } from 'node:path'

import { InferenceSession, Tensor } from 'onnxruntime-node'

/** A graph of a bundle opened in this process, for tests that look at one stage. */
export type RunGraph = (feeds: Readonly<Record<string, Tensor>>) => Promise<InferenceSession.OnnxValueMapType>

/** Opens a graph of a bundle. */
export async function openGraph(bundle: string, file: string): Promise<RunGraph> {
  const session = await InferenceSession.create(join(bundle, file), { intraOpNumThreads: 1, logSeverityLevel: 3 })
  return (feeds) => session.run(feeds)
}

export const float32Tensor = (data: ArrayLike<number>, shape: readonly number[]): Tensor =>
  new Tensor('float32', Float32Array.from(data), shape)

export const int64Tensor = (data: readonly number[], shape: readonly number[]): Tensor =>
  new Tensor('int64', BigInt64Array.from(data, BigInt), shape)

export const uint8Tensor = (data: ArrayLike<number>, shape: readonly number[]): Tensor =>
  new Tensor('uint8', Uint8Array.from(data), shape)

/** A float32 output's values. */
export function floats(outputs: InferenceSession.OnnxValueMapType, name: string): Float32Array {
  const data = (outputs[name])?.data
  if (data instanceof Float32Array) return data
  throw new Error(`Expected a float32 output ${name}.`)
}

/** A uint8 or bool output's values. */
export function bytes(outputs: InferenceSession.OnnxValueMapType, name: string): Uint8Array {
  const data = (outputs[name])?.data
  if (data instanceof Uint8Array) return data
  throw new Error(`Expected a uint8 or bool output ${name}.`)
}
