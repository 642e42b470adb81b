import type { Result } from '../envelope.js'
import { abortError, asStreamError } from '../errors.js'
import type { Sink } from '../sinks/sink.js'

/** One sink's way of its own: its results in order, one at a time, whatever the other sinks do. */
export interface SinkLane {
  readonly sink: Sink
  /** Results that the sink doesn't have safe yet. */
  readonly waiting: number
  /** Resolves when the sink has the result safe. After the first failure nothing more is written. */
  write(result: Result): Promise<void>
  /** Nothing more is written: what waits is rejected with `ABORTED`. A write that is under way goes on. */
  stop(): void
}

/** Makes a lane. Its length is bounded by the unsettled deliveries of the streams, which `encode` waits for. */
export function createLane(sink: Sink): SinkLane {
  let waiting = 0
  let isStopped = false
  let last: Promise<void> = Promise.resolve()

  const writeNow = async (result: Result): Promise<void> => {
    try {
      if (isStopped) throw abortError(`Writing to the sink ${sink.kind}`)
      await sink.write(result)
    } catch (error) {
      isStopped = true
      throw asStreamError(error, 'SINK_FAILED', `The sink ${sink.kind} could not take a result`)
    } finally {
      waiting -= 1
    }
  }
  return {
    sink,
    get waiting() {
      return waiting
    },
    write: (result) => {
      waiting += 1
      const writing = last.then(() => writeNow(result))
      last = writing.catch(() => undefined)
      return writing
    },
    stop: () => {
      isStopped = true
    },
  }
}
