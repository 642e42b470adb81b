import { concat, defer } from 'rxjs'
import type { Observable } from 'rxjs'

import type { StreamError } from '../errors.js'
import type { EncodedFrame } from '../types.js'
import type { EncodeOutcome } from './encode-batch.js'

/** Failures in a row after which it is no longer the frames' fault. */
const MOST_FAILURES_IN_A_ROW = 8

/** Settles frames in order and says when failing frames end the stream. */
export interface FailureRule {
  /** Settles the frame's receipt; gives the encoded frame, or none. Throws after too many failures. */
  readonly settle: (outcome: EncodeOutcome) => readonly EncodedFrame[]
  /** Ends with the last failure where no frame could be encoded at all. */
  readonly watch: (encoded: Observable<EncodedFrame>) => Observable<EncodedFrame>
}

/** Makes the rule for one subscription. */
export function createFailureRule(): FailureRule {
  let failuresInARow = 0
  let lastFailure: StreamError | undefined
  let hasEncoded = false

  const settle = (outcome: EncodeOutcome): readonly EncodedFrame[] => {
    if ('encoded' in outcome) {
      hasEncoded = true
      failuresInARow = 0
      outcome.receipt.settle({ kind: outcome.isStatic === true ? 'static' : 'encoded' })
      return [outcome.encoded]
    }
    lastFailure = outcome.failure
    failuresInARow += 1
    outcome.receipt.settle({ kind: 'failed', code: outcome.failure.code })
    if (failuresInARow >= MOST_FAILURES_IN_A_ROW) throw outcome.failure
    return []
  }

  const atTheEnd = defer((): readonly EncodedFrame[] => {
    if (lastFailure !== undefined && !hasEncoded) throw lastFailure
    return []
  })

  return { settle, watch: (encoded) => concat(encoded, atTheEnd) }
}
