import type { DecodeObserver, DecodedPicture } from './decode-job.js'
import { type DecodePlanSettings, decodePlan } from './decode-plan.js'
import { type DecodeJob, type PlanOptions, type WantedPicture, planDecoding } from './seek-plan.js'
import type { VideoHealth } from './video-health.js'
import type { VideoTrack } from './video-track.js'

/** What wanted pictures are decoded with. */
export interface DecodeWantedSettings extends Omit<DecodePlanSettings, 'observer'> {
  readonly health: VideoHealth
}

/** One way to get pictures. */
export interface Attempt {
  readonly jobs: readonly DecodeJob[]
  /** Whether the decoder passes over all pictures that aren't keyframes. */
  readonly keyframesOnly: boolean
}

/**
 * How pictures that don't come in their turn are had otherwise: each way goes through more of the file than the one
 * before it, and the last through all of it. Intra-refresh can take longer to be whole again than its
 * keyframes are apart (x264 counts in reference pictures, which B-frames aren't), but not several times as long.
 */
const WAYS_BACK: readonly PlanOptions[] = [{}, { lead: 8 }, { lead: Infinity }]

/**
 * Decodes wanted pictures and gives them in display order.
 *
 * A decoder that seeks, or passes over all that isn't a keyframe, gives each picture as long as keyframes stand for
 * themselves. H.264 has some that don't: those of open GOPs can come out of order where the others are passed over,
 * and those of intra-refresh are whole only with what follows them, for longer than to the next. From the first picture
 * that isn't there in its turn the rest is had another way, so that nothing is kept and nothing is given twice.
 * What then is missing is damage.
 */
export async function* decodeWanted(
  track: VideoTrack,
  plan: Attempt,
  { health, decoder, ...settings }: DecodeWantedSettings,
): AsyncGenerator<DecodedPicture> {
  const wanted = plan.jobs.flatMap(({ pictures }) => pictures)
  const ways = plan.keyframesOnly ? WAYS_BACK : WAYS_BACK.slice(1)
  let given = 0
  let attempt = plan
  for (const way of [...ways, undefined]) {
    const isLast = way === undefined || readsOnce(attempt)
    const { jobs, keyframesOnly } = attempt
    const observer = isLast ? health : withoutMissing(health)
    for await (const picture of decodePlan(track, jobs, { ...settings, observer, decoder: { ...decoder, keyframesOnly } })) {
      if (!isLast && picture.index !== wanted[given]?.index) break
      given += 1
      yield picture
    }
    if (isLast || given === wanted.length) return
    attempt = { jobs: planDecoding(track, wanted.slice(given).flatMap(repeated), way), keyframesOnly: false }
    health.readAgain(attempt.jobs, plan.keyframesOnly ? READ_EXACTLY : READ_FROM_FURTHER_BACK)
  }
}

const READ_EXACTLY = "Some keyframes can't be decoded by themselves: they were read exactly."
const READ_FROM_FURTHER_BACK = "Some pictures can't be decoded right after a seek: they were read from further back."

/** Whether all is decoded from the beginning, so that no other way has more to go by. */
function readsOnce({ jobs, keyframesOnly }: Attempt): boolean {
  return !keyframesOnly && jobs.every(({ seekSeconds }) => seekSeconds === undefined)
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
