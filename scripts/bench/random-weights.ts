import { writeFile } from 'node:fs/promises'

import type { Weights } from '../../src/model/checkpoint/weights.js'

/** Writes `elements` small BF16 values from a fixed seed. */
export async function writeRandomValues(path: string, elements: number): Promise<void> {
  let state = 1
  const bits = Uint16Array.from({ length: elements }, () => {
    // A linear congruential generator (Numerical Recipes): speed is measured here, not chance.
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    const value = Float32Array.of((state / 2 ** 32 - 0.5) * 0.06)
    return (new Uint32Array(value.buffer)[0] ?? 0) >>> 16
  })
  await writeFile(path, bits)
}

/**
 * Weights of any name and shape, all read from the same file of random values: a full-size model
 * for timing, without a full-size checkpoint.
 */
export function randomWeights(file: string, prefix = ''): Weights {
  return {
    scope: (name) => randomWeights(file, `${prefix}${name}.`),
    take: (name, shape) => {
      const bytes = shape.reduce((product, size) => product * size, 2)
      return { name: prefix + name, elementType: 'BF16', shape, file, offset: 0, bytes }
    },
    ignore: () => undefined,
  }
}
