import type { Manifest } from '../../src/model/manifest.js'

/** One tensor of a decoder's cache. */
export interface CachePart {
  /** Without what stands in front of it: `0.key`. */
  readonly name: string
  /** Key-value heads of its layer. */
  readonly heads: number
}

/** Keys and values of each layer. */
export const cacheParts = ({ keyValueHeads }: Pick<Manifest['languageModel'], 'keyValueHeads'>): readonly CachePart[] =>
  keyValueHeads.flatMap((heads, layer) => ['key', 'value'].map((kind) => ({ name: `${layer}.${kind}`, heads })))
