import { performance } from 'node:perf_hooks'

import { ENVELOPE_SCHEMA, resultId } from '../envelope.js'
import type { Answer, ErrorResult } from '../envelope.js'
import { StreamError, errorCodes } from '../errors.js'
import type { GenerationSettings } from '../generation-settings.js'
import type { Generation, ModelInfo } from '../model/model.js'
import type { Clip, Question, Round } from '../types.js'

/** What was asked of what. */
export interface Asked {
  readonly pipeline: string
  readonly model: ModelInfo
  readonly clip: Clip
  readonly question: Question
  readonly generation: GenerationSettings
  /** Earlier rounds of the conversation. */
  readonly rounds?: readonly Round[]
}

/** The id of the question's result: known before it is answered. */
export function idOf({ clip, model, question, generation, rounds }: Asked): string {
  return resultId({
    streamId: clip.stream.id,
    epoch: clip.stream.epoch,
    framesPtsMs: clip.frames.map(({ ptsMs }) => ptsMs),
    question,
    template: generation.template ?? model.template,
    generation,
    bundleDigest: model.digest,
    ...(rounds && { rounds }),
  })
}

/** The envelope of an answered question. */
export function answerResult(asked: Asked, generated: Generation & { readonly connectMs: number }): Answer {
  const { text, finishReason, tokens, timingsMs, isTruncated, connectMs } = generated
  const encodeMs = asked.clip.frames.reduce((sum, frame) => sum + frame.encodeMs, 0)
  const degraded = isTruncated ? ['The end of the prompt was cut at the length limit of the model.'] : []
  return {
    kind: 'answer',
    ...envelope(asked, degraded),
    answer: text,
    finishReason,
    tokens: { ...tokens },
    timingsMs: { encode: encodeMs, connect: connectMs, ...timingsMs },
    answerAfterLastFrameMs: Math.max(0, performance.now() - (asked.clip.frames.at(-1)?.arrivedAtMs ?? NaN)),
  }
}

/** The envelope of a question that could not be answered. */
export function errorResult(asked: Asked, { code, message }: StreamError): ErrorResult {
  return { kind: 'error', ...envelope(asked, []), error: { code, message } }
}

/** The error behind an error result: for callers that throw instead of handing results on. */
export function errorOf({ error }: ErrorResult): StreamError {
  return new StreamError(errorCodes.find((known) => known === error.code) ?? 'MODEL_FAILED', error.message)
}

function envelope(asked: Asked, degraded: readonly string[]): Omit<ErrorResult, 'kind' | 'error'> {
  const { clip, model, pipeline, question, rounds = [] } = asked
  const { id, kind, epoch } = clip.stream
  return {
    schema: ENVELOPE_SCHEMA,
    id: idOf(asked),
    pipeline,
    source: { id, kind, epoch },
    clip: {
      startMs: clip.startMs,
      endMs: clip.endMs,
      frames: clip.frames.map(({ index, ptsMs }) => ({ index, ptsMs })),
      capturedAt: clip.frames.at(-1)?.capturedAt ?? null,
      coverage: clip.coverage,
    },
    question,
    ...(rounds.length > 0 && { rounds: rounds.map((round) => ({ ...round })) }),
    model: { name: model.name, digest: model.digest, precision: model.precision, device: model.device },
    degraded: [...clip.warnings, ...degraded],
  }
}
