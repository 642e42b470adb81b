import type { Answer, ErrorResult } from '../../src/envelope.js'
import { createAnswer } from '../sinks/contract.js'

/** An answer about the clip that ends at this media time. */
export function answerAt(endMs: number, text: string, changes: Partial<Answer> = {}): Answer {
  const { clip } = createAnswer(text)
  return createAnswer(text, { id: idOf(endMs), clip: { ...clip, endMs }, ...changes })
}

/** A question about the clip that ends at this media time, which could not be answered. */
export function errorAt(endMs: number): ErrorResult {
  const { schema, id, pipeline, source, clip, question, model, degraded } = answerAt(endMs, '')
  const shared = { schema, id, pipeline, source, clip, question, model, degraded }
  return { kind: 'error', ...shared, error: { code: 'MODEL_FAILED', message: 'It failed.' } }
}

/** The same answer in another epoch of its stream. */
export function inEpoch(epoch: number, answer: Answer): Answer {
  return { ...answer, source: { ...answer.source, epoch } }
}

/** An id that shows the time it is for. */
export function idOf(endMs: number): string {
  return Math.round(endMs * 1000).toString(16).padStart(64, '0')
}
