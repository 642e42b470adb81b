import type { Attributes } from '@opentelemetry/api'

import type { QuestionResult } from '../envelope.js'
import type { Model } from '../model/model.js'
import type { SpanPlan } from '../tracing.js'
import type { Clip } from '../types.js'

/**
 * The span of one question about a clip: it belongs to the trace that the clip's last frame came with.
 *
 * Neither question nor answer is in it: what is seen in a home is not for whoever keeps the traces.
 */
export function spanOf({ stream, frames, startMs, endMs }: Clip, { model }: { readonly model: Model }): SpanPlan {
  return {
    name: 'answer',
    parent: frames.at(-1)?.trace,
    attributes: {
      'tinyllava.stream.id': stream.id,
      'tinyllava.stream.epoch': stream.epoch,
      'tinyllava.clip.frames': frames.length,
      'tinyllava.clip.start_ms': startMs,
      'tinyllava.clip.end_ms': endMs,
      'gen_ai.request.model': model.info.name,
    },
  }
}

/** What is known once the question is settled; tokens by the names that OpenTelemetry gave them. */
export function resultAttributes(result: QuestionResult): Attributes {
  const id = { 'tinyllava.result.id': result.id }
  if (result.kind === 'error') return id
  return {
    ...id,
    'gen_ai.usage.input_tokens': result.tokens.prompt,
    'gen_ai.usage.output_tokens': result.tokens.answer,
    'gen_ai.response.finish_reasons': [result.finishReason],
  }
}
