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

/** Of a visual token: frames' tokens from `start` on, with the share of each; they sum to 1. */
interface Source {
  readonly start: number
  readonly shares: Float32Array
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
    const { start, shares } = sourceOf(visual)
    shares.forEach((share, place) => {
      const token = start + place
      const [map, patch] = [maps[Math.floor(token / tokensPerFrame)], first + (token % tokensPerFrame)]
      // A class token stands for no place; it is left out of the whole.
      if (map !== undefined && patch >= 0 && patch < map.length) map[patch] = (map[patch] ?? 0) + weight * share
    })
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
  return (visual: number): Source => {
    const part = Math.floor(visual / queries)
    const start = part * base + Math.min(part, rest)
    const length = base + (part < rest ? 1 : 0)
    const looked = data.subarray(visual * context, visual * context + length)
    const sum = looked.reduce((total, share) => total + share, 0)
    return { start, shares: sum === 0 ? new Float32Array(0) : looked.map((share) => share / sum) }
  }
}

/** Sources of visual tokens that are each made of one token, in order; of towers side by side several of one. */
export function ownSources(visualTokens: number, { frames, tokensPerFrame }: ClipTokens) {
  const ofOne = visualTokens / (frames * tokensPerFrame)
  return (visual: number): Source => ({ start: Math.floor(visual / ofOne), shares: Float32Array.of(1) })
}
