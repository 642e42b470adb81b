import { type Hash, createHash } from 'node:crypto'

import type { RawListener } from '../checkpoint/source.js'

/** Digests a checkpoint from the bytes that pass by while it is converted, so that nothing is read twice. */
export interface SourceDigest {
  readonly onRaw: RawListener
  /** sha256 over the configuration and, by name, each tensor's name, type, shape and sha256. */
  finish(configBytes: Uint8Array): string
}

/** Begins a digest. Tensors may come in any order, each from its beginning to its end. */
export function createSourceDigest(): SourceDigest {
  const tensors = new Map<string, { readonly header: string; readonly hash: Hash }>()
  return {
    onRaw: ({ name, elementType, shape }, raw) => {
      const known = tensors.get(name)
      const entry = known ?? { header: `${name} ${elementType} [${shape.join()}] `, hash: createHash('sha256') }
      if (known === undefined) tensors.set(name, entry)
      entry.hash.update(raw)
    },
    finish: (configBytes) => {
      const whole = createHash('sha256').update(configBytes)
      for (const name of [...tensors.keys()].sort()) {
        const entry = tensors.get(name)
        if (entry !== undefined) whole.update(entry.header).update(entry.hash.digest('hex')).update('\n')
      }
      return whole.digest('hex')
    },
  }
}
