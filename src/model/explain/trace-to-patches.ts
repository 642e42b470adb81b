import type { Manifest } from '../manifest.js'

/** Where a connector looked, as `connector_explaining` says it. */
export interface ConnectorLooks {
  /** `[parts, queries, context]`, row by row: how much each visual token looked at each token of its part. */
  readonly data: Float32Array
  readonly parts: number
  readonly queries: number
  readonly context: number
}

/** A clip's tokens before the connector. */
export interface ClipTokens {
  readonly frames: number
  readonly tokensPerFrame: number
}

/** Of a visual token: frames' tokens from `start` on, with how much each counts; times `scale` they sum to 1, or to 0. */
interface Source {
  readonly start: number
  readonly looks: Float32Array
  readonly scale: number
}

/**
 * Traces attention on visual tokens back to the patches of each frame: a visual token's share is spread over the frames' tokens as
 * the connector looked at them.
 *
 * @param weights How much went to each visual token, from the first; of those that were kept of a prompt.
 * @param sourceOf See `lookedSources`, `ownSources`.
 * @returns For each frame `[across * across]`; all frames together sum to 1, or to 0 where nothing was looked at.
 */
export function traceToPatches(
  weights: Float32Array,
  sourceOf: (visual: number) => Source,
  { frames, tokensPerFrame }: ClipTokens,
  { across, first }: Manifest['explaining']['patches'],
): readonly Float32Array[] {
  const maps = Array.from({ length: frames }, () => new Float32Array(across ** 2))
  weights.forEach((weight, visual) => {
    const { start, looks, scale } = sourceOf(visual)
    // By index: a clip's tokens are many, and this is done for each token of the answer.
    for (let place = 0; place < looks.length; place += 1) {
      const token = start + place
      const [map, patch] = [maps[Math.floor(token / tokensPerFrame)], first + (token % tokensPerFrame)]
      // A class token stands for no place; it is left out of the whole.
      if (map !== undefined && patch >= 0 && patch < map.length) map[patch] = (map[patch] ?? 0) + weight * scale * (looks[place] ?? 0)
    }
  })
  const sum = maps.reduce((all, map) => map.reduce((total, share) => total + share, all), 0)
  return sum === 0 ? maps : maps.map((map) => map.map((share) => share / sum))
}

/**
 * Sources of visual tokens that came about by attention. The clip's tokens are split into parts along time, the first ones with one
 * token more where they can't be even (as TinyLLaVA-Video `groupresampler.py`, `split_tensor`); a part's tokens come first in its
 * context, and the rest of it is not the picture.
 */
export function lookedSources({ data, parts, queries, context }: ConnectorLooks, { frames, tokensPerFrame }: ClipTokens) {
  const count = frames * tokensPerFrame
  const [base, rest] = [Math.floor(count / parts), count % parts]
  const sources = Array.from({ length: parts * queries }, (_, visual): Source => {
    const part = Math.floor(visual / queries)
    const start = part * base + Math.min(part, rest)
    const looks = data.subarray(visual * context, visual * context + base + (part < rest ? 1 : 0))
    const sum = looks.reduce((total, share) => total + share, 0)
    return { start, looks, scale: sum === 0 ? 0 : 1 / sum }
  })
  return (visual: number): Source => sources[visual] ?? { start: 0, looks: new Float32Array(0), scale: 0 }
}

const ONE = Float32Array.of(1)

/** Sources of visual tokens that are each made of one token, in order; of towers side by side several of one. */
export function ownSources(visualTokens: number, { frames, tokensPerFrame }: ClipTokens) {
  const ofOne = visualTokens / (frames * tokensPerFrame)
  return (visual: number): Source => ({ start: Math.floor(visual / ofOne), looks: ONE, scale: 1 })
}
