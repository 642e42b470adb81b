import { readFileSync } from 'node:fs'

import { z } from 'zod'

import type { FrameBudget } from '../../src/eval/frames/frame-budget.js'
import type { VideoFacts } from '../../src/eval/frames/video-facts.js'
import { referencePath } from '../support/golden.js'

/** The folder of a miniature data set. */
export const dataPath = (name: string): string => referencePath(`eval/data/${name}`)

/** Reads a golden of `tests/reference/eval`. */
export function readEvalGolden<T>(name: string, schema: z.ZodType<T>): T {
  return schema.parse(JSON.parse(readFileSync(referencePath(`eval/${name}`), 'utf8')))
}

/** A made-up video, as `tests/reference/eval_goldens/streams.py` writes it. */
export const streamSchema = z.object({
  frames: z.number(),
  rate: z.tuple([z.number(), z.number()]),
  time_base: z.tuple([z.number(), z.number()]),
  start: z.number(),
  key_every: z.number(),
  dropped: z.array(z.number()),
  header_frames: z.number(),
  duration: z.number(),
  is_variable: z.boolean(),
})

/** What a decoder would know of a made-up video. */
export function factsOf(stream: z.infer<typeof streamSchema>): VideoFacts {
  const [numerator, denominator] = stream.time_base
  const ticks = (stream.rate[1] * denominator) / (stream.rate[0] * numerator)
  const dropped = new Set(stream.dropped)
  const places = Array.from({ length: stream.frames }, (_, place) => place).filter((place) => !dropped.has(place))
  // Halves are put up, as in the script; what comes out is exact for all of its rates.
  const pts = places.map((place) => stream.start + Math.floor(place * ticks + 0.5))
  return {
    pts,
    keyframes: pts.filter((_, place) => place % stream.key_every === 0).map((key) => ({ pts: key, from: key })),
    timeBase: { numerator, denominator },
    averageFps: stream.rate[0] / stream.rate[1],
    isVariable: stream.is_variable,
    headerFrames: stream.header_frames,
    headerTicks: stream.duration,
  }
}

/** The reference's `num_frame` and `max_frame`. */
export function budgetOf({ num_frame: frames, max_frame: maxFrames }: { num_frame: number; max_frame: number }): FrameBudget {
  return frames > 0 ? { kind: 'fixed', frames } : { kind: 'per-second', maxFrames }
}

export const budgetFields = { num_frame: z.number(), max_frame: z.number() }
