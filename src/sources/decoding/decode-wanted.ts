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

/** As far back as any picture should need. */
const FURTHER_BACK: PlanOptions = { lead: 8 }

/**
 * How pictures that don't come in their turn are had otherwise: each way goes through more of the file than the one
 * before it, and the last through all of it. Intra-refresh can take longer to be whole again than its
 * keyframes are apart (x264 counts in reference pictures, which B-frames aren't), but not several times as long.
 */
const WAYS_BACK: readonly PlanOptions[] = [{}, FURTHER_BACK, { lead: Infinity }]

/**
 * Decodes wanted pictures and gives them in display order.
 *
 * A decoder that seeks, or passes over all that isn't a keyframe, gives each picture as long as keyframes stand for
 * themselves. H.264 has some that don't: those of open GOPs can come out of order where the others are passed over,
 * and those of intra-refresh are whole only with what follows them, for longer than to the next. From the first picture
 * that isn't there in its turn the rest is had another way, so that nothing is kept and nothing is given twice.
 *
 * Where any picture comes after a seek, one that doesn't, not even from further back, is damage: it is passed over, for
 * what is broken doesn't get better by going through hours of video. So is what is missing when all was gone through.
 */
export async function* decodeWanted(
  track: VideoTrack,
  plan: Attempt,
  { health, decoder, ...settings }: DecodeWantedSettings,
): AsyncGenerator<DecodedPicture> {
  const wanted = plan.jobs.flatMap(({ pictures }) => pictures)
  const ways = plan.keyframesOnly ? WAYS_BACK : WAYS_BACK.slice(1)
  // How many of them were given or passed over, and whether one came from a run that began at a seek, at whatever place in it:
  // the file's seeks then deliver.
  let [done, canSeek] = [0, false]
  let attempt = plan
  for (const [place, way] of [...ways, undefined].entries()) {
    const isLast = way === undefined || readsOnce(attempt)
    const isFurtherBack = ways[place - 1] === FURTHER_BACK
    const { jobs, keyframesOnly } = attempt
    const sought = soughtIn(attempt)
    const missing = holdMissing(health)
    const observer = isLast ? health : missing.observer
    for await (const picture of decodePlan(track, jobs, { ...settings, observer, decoder: { ...decoder, keyframesOnly } })) {
      canSeek ||= sought.has(picture.index)
      const mayPassOver = isLast || (isFurtherBack && canSeek)
      if (!mayPassOver && picture.index !== wanted[done]?.index) break
      while ((wanted[done]?.index ?? Infinity) < picture.index) done += 1
      done += 1
      yield picture
    }
    if (isLast) return
    if (done === wanted.length || (isFurtherBack && canSeek)) {
      missing.tell()
      return
    }
    attempt = { jobs: planDecoding(track, wanted.slice(done).flatMap(repeated), way), keyframesOnly: false }
    health.readAgain(attempt.jobs, plan.keyframesOnly ? READ_EXACTLY : READ_FROM_FURTHER_BACK)
  }
}

const READ_EXACTLY = "Some keyframes can't be decoded by themselves: they were read exactly."
const READ_FROM_FURTHER_BACK = "Some pictures can't be decoded right after a seek: they were read from further back."

/** Whether all is decoded from the beginning, so that no other way has more to go by. */
function readsOnce({ jobs, keyframesOnly }: Attempt): boolean {
  return !keyframesOnly && jobs.every(({ seekSeconds }) => seekSeconds === undefined)
}

/** Places of the pictures that come from decoders which begin at a seek and pass over nothing. */
function soughtIn({ jobs, keyframesOnly }: Attempt): ReadonlySet<number> {
  const afterSeek = keyframesOnly ? [] : jobs.filter(({ seekSeconds }) => seekSeconds !== undefined)
  return new Set(afterSeek.flatMap(({ pictures }) => pictures.map(({ index }) => index)))
}

/** A picture that doesn't come is no damage as long as there is another way to get it: only `tell` says so. */
function holdMissing(health: VideoHealth): { readonly observer: DecodeObserver; readonly tell: () => void } {
  const held: Parameters<DecodeObserver['jobEnded']>[] = []
  return {
    observer: {
      line: (line) => {
        health.line(line)
      },
      jobEnded: (job, missing, end) => {
        if (missing === 0) health.jobEnded(job, missing, end)
        else held.push([job, missing, end])
      },
    },
    tell: () => {
      for (const ended of held) health.jobEnded(...ended)
    },
  }
}

function repeated({ index, times }: WantedPicture): number[] {
  return Array.from({ length: times }, () => index)
}
