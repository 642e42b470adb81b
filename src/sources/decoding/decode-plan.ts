import { throwIfAborted } from '../../errors.js'
import { type DecodeObserver, type DecodedPicture, startJob } from './decode-job.js'
import type { DecoderOptions } from './decoder-options.js'
import { type DecoderSlot, type DecoderSlots, fileDecoderSlots } from './decoder-slots.js'
import { PacedDecoder } from './paced-decoder.js'
import type { DecodeJob } from './seek-plan.js'
import type { VideoTrack } from './video-track.js'

/** What a plan is carried out with. */
export interface DecodePlanSettings {
  readonly observer: DecodeObserver
  /** Kills the decoders; the iteration then ends or errors, and nobody should care which. */
  readonly signal: AbortSignal
  /** @default those of the process */
  readonly slots?: DecoderSlots
  readonly decoder?: DecoderOptions
}

/**
 * Decodes the jobs of a plan and gives their pictures in display order.
 *
 * Two decoders at most work at the same time: the one that is being read and, where a place is free, the next,
 * which works ahead up to its first picture. Both are gone when the iteration ends, by completion, error, early
 * return or abort.
 */
export async function* decodePlan(
  track: VideoTrack,
  jobs: readonly DecodeJob[],
  { observer, signal, slots = fileDecoderSlots(), decoder = {} }: DecodePlanSettings,
): AsyncGenerator<DecodedPicture> {
  const running = new Set<PacedDecoder>()
  const begin = (job: DecodeJob, slot: DecoderSlot): PacedDecoder => {
    const started = new PacedDecoder(() => startJob(track, job, { observer, decoder }), slot)
    running.add(started)
    return started
  }
  const beginAhead = (job: DecodeJob | undefined): PacedDecoder | undefined => {
    const slot = job === undefined || signal.aborted ? undefined : slots.tryTake()
    if (job === undefined || slot === undefined) return undefined
    const started = begin(job, slot)
    started.workAhead()
    return started
  }
  const endAll = (): void => {
    for (const one of running) one.end()
  }

  signal.addEventListener('abort', endAll, { once: true })
  try {
    let ahead: PacedDecoder | undefined
    for (const [place, job] of jobs.entries()) {
      const current: PacedDecoder = ahead ?? begin(job, await slots.take(signal))
      ahead = undefined
      for (;;) {
        throwIfAborted(signal, `Reading ${track.path}`)
        ahead ??= beginAhead(jobs[place + 1])
        const picture = await current.next(signal)
        if (picture === undefined) break
        yield picture
      }
      running.delete(current)
      current.end()
    }
  } finally {
    signal.removeEventListener('abort', endAll)
    endAll()
  }
}
