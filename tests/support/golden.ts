import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { float16ToNumber } from '../../src/model/float16.js'

/** A tensor of a golden file. */
export interface GoldenTensor {
  readonly shape: readonly number[]
  readonly data: Float32Array | Uint8Array | Int32Array
}

/** How a golden's bytes become numbers, by safetensors type. */
const DECODE: Readonly<Record<string, (bytes: Uint8Array<ArrayBuffer>) => GoldenTensor['data']>> = {
  F32: (bytes) => new Float32Array(bytes.buffer),
  F16: (bytes) => Float32Array.from(new Uint16Array(bytes.buffer), float16ToNumber),
  I32: (bytes) => new Int32Array(bytes.buffer),
  U8: (bytes) => bytes,
}

const reference = new URL('../reference/', import.meta.url)

/** Path of a file below `tests/reference`. */
export const referencePath = (path: string): string => fileURLToPath(new URL(path, reference))

/** Reads a whole (small) golden safetensors file. */
export function readGolden(path: string): ReadonlyMap<string, GoldenTensor> {
  const file = readFileSync(referencePath(path))
  const headerBytes = Number(file.readBigUInt64LE())
  const header = JSON.parse(file.subarray(8, 8 + headerBytes).toString('utf8')) as Record<
    string,
    { dtype: string; shape: number[]; data_offsets: [number, number] }
  >
  return new Map(
    Object.entries(header)
      .filter(([name]) => name !== '__metadata__')
      .map(([name, { dtype, shape, data_offsets: [begin, end] }]) => {
        const bytes = new Uint8Array(file.subarray(8 + headerBytes + begin, 8 + headerBytes + end))
        const decode = DECODE[dtype]
        if (decode === undefined) throw new Error(`${path} holds ${name} as ${dtype}.`)
        return [name, { shape, data: decode(bytes) }] as const
      }),
  )
}

/** A tensor that must be there. */
export function goldenTensor(golden: ReadonlyMap<string, GoldenTensor>, name: string): GoldenTensor {
  const tensor = golden.get(name)
  if (tensor === undefined) throw new Error(`The golden holds no ${name}; it holds ${[...golden.keys()].join(', ')}.`)
  return tensor
}

/** `‖a - b‖ / ‖b‖`. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Infinity
  let difference = 0
  let norm = 0
  for (let i = 0; i < expected.length; i += 1) {
    difference += ((actual[i] ?? NaN) - (expected[i] ?? NaN)) ** 2
    norm += (expected[i] ?? NaN) ** 2
  }
  return Math.sqrt(difference / norm)
}
