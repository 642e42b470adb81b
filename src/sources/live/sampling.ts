import { StreamError } from '../../errors.js'
import { checkSampling } from '../../sampling/check-sampling.js'
import type { Sampling } from '../../sampling/sampling.js'

/** Which frames can be wanted of a stream without end. */
export type LiveSampling = Extract<Sampling, { readonly kind: 'all' | 'fps' }>

/**
 * Checks that a sampling needs no end to spread frames up to, and returns it.
 *
 * @throws {StreamError} `SETTING_INVALID`.
 */
export function checkLiveSampling(value: unknown): LiveSampling {
  const sampling = checkSampling(value)
  if (sampling.kind === 'all' || sampling.kind === 'fps') return sampling
  throw new StreamError(
    'SETTING_INVALID',
    'sampling: a live stream has no end to spread frames up to. Use `byFps(…)`, and let `slidingWindow` make clips.',
  )
}

/**
 * The filters that thin pictures inside the decoder to a superset of those that `createFpsRule` keeps.
 *
 * A picture passes if, with a millisecond to spare on either side of the rule's own tolerance, a slot begins
 * between the one before and it. Times count from the connection's first picture, as the rule's do.
 */
export function liveFilters(sampling: LiveSampling): readonly string[] {
  if (sampling.kind === 'all') return ['setpts=PTS-STARTPTS']
  const slotAt = (time: string): string => `floor(${time}*${sampling.fps})`
  return ['setpts=PTS-STARTPTS', `select='isnan(prev_t)+not(eq(${slotAt('(t+0.002)')},${slotAt('prev_t')}))'`]
}
