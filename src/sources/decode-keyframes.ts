import type { DecodeObserver, DecodedPicture } from './decode-job.js'
import { type DecodePlanSettings, decodePlan } from './decode-plan.js'
import { type DecodeJob, type WantedPicture, planDecoding } from './seek-plan.js'
import type { VideoHealth } from './video-health.js'
import type { VideoTrack } from './video-track.js'

/** What keyframes are decoded with. */
export interface DecodeKeyframesSettings extends Omit<DecodePlanSettings, 'observer'> {
  readonly health: VideoHealth
}

/** One way to get the pictures that are still to be had. */
interface Attempt {
  readonly jobs: readonly DecodeJob[]
  readonly keyframesOnly: boolean
}

/** @param left Places of the pictures that are still to be had, ascending, with repeats; at least one. */
type PlanAttempt = (left: readonly number[]) => Attempt

/**
 * Decodes the jobs of `planKeyframes` and gives their pictures in display order.
 *
 * The decoder passes over all other pictures as long as each keyframe comes in its turn. H.264 has keyframes that
 * don't: those of open GOPs can come out of order, and those of intra-refresh, which are whole only with what
 * follows them, not at all. From the first that isn't there in its turn the rest is decoded exactly; and, where a
 * seek falls short, too, from the beginning of the file.
 */
export async function* decodeKeyframes(
  track: VideoTrack,
  jobs: readonly DecodeJob[],
  { health, decoder, ...settings }: DecodeKeyframesSettings,
): AsyncGenerator<DecodedPicture> {
  const wanted = jobs.flatMap(({ pictures }) => pictures)
  let given = 0
  let attempt: Attempt = { jobs, keyframesOnly: true }
  for (;;) {
    const { keyframesOnly } = attempt
    const next = nextAttempt(track, attempt)
    const observer = next === undefined ? health : withoutMissing(health)
    const plan = { ...settings, observer, decoder: { ...decoder, keyframesOnly } }
    for await (const picture of decodePlan(track, attempt.jobs, plan)) {
      if (next !== undefined && picture.index !== wanted[given]?.index) break
      given += 1
      yield picture
    }
    const left = wanted.slice(given)
    if (next === undefined || left.length === 0) return
    attempt = next(left.flatMap(repeated))
    health.readAgain(attempt.jobs, "Some keyframes can't be decoded by themselves: they were read exactly.")
  }
}

/** How to get what an attempt leaves; undefined where nothing has more to go by than that one. */
function nextAttempt(track: VideoTrack, { jobs, keyframesOnly }: Attempt): PlanAttempt | undefined {
  if (keyframesOnly) return (left) => exactly(planDecoding(track, left))
  if (jobs.every(({ seekSeconds }) => seekSeconds === undefined)) return undefined
  // Without keyframes there is nothing to seek.
  return (left) => exactly(planDecoding({ ...track, keyTicks: [] }, left, { startCost: Infinity }))
}

function exactly(jobs: readonly DecodeJob[]): Attempt {
  return { jobs, keyframesOnly: false }
}

/** A picture that doesn't come is no damage as long as there is another way to get it. */
function withoutMissing(health: VideoHealth): DecodeObserver {
  return {
    line: (line) => {
      health.line(line)
    },
    jobEnded: (job, missing, end) => {
      if (missing === 0) health.jobEnded(job, missing, end)
    },
  }
}

function repeated({ index, times }: WantedPicture): number[] {
  return Array.from({ length: times }, () => index)
}
