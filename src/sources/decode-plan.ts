import { type DecodeObserver, type DecodedPicture, type RunningJob, startJob } from './decode-job.js'
import type { DecodeJob } from './seek-plan.js'
import type { VideoTrack } from './video-track.js'

/**
 * Decodes the jobs of a plan and gives their pictures in display order.
 *
 * Two decoders at most work at the same time: the one that is being read and the next, which works ahead up
 * to its first picture. Both are gone when the iteration ends, by completion, error, early return or abort.
 *
 * @param signal Kills the decoders; the iteration then ends or errors, and nobody should care which.
 */
export async function* decodePlan(
  track: VideoTrack,
  jobs: readonly DecodeJob[],
  { observer, signal }: { observer: DecodeObserver; signal: AbortSignal },
): AsyncGenerator<DecodedPicture> {
  const running = new Set<RunningJob>()
  const start = (job: DecodeJob | undefined): RunningJob | undefined => {
    if (job === undefined || signal.aborted) return undefined
    const started = startJob(track, job, observer)
    running.add(started)
    return started
  }
  const killAll = (): void => {
    for (const job of running) job.kill()
  }

  signal.addEventListener('abort', killAll, { once: true })
  try {
    let next = start(jobs[0])
    for (let place = 1; next !== undefined; place++) {
      const current = next
      next = start(jobs[place])
      yield* current.pictures
      running.delete(current)
    }
  } finally {
    signal.removeEventListener('abort', killAll)
    killAll()
  }
}
