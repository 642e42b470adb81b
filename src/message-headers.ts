/**
 * Names of the headers of messages that carry video, as they are read and written. `docs/MESSAGES.md` describes each.
 *
 * Where videos come in, names are compared without regard to case.
 */
export const MESSAGE_HEADERS = {
  contentType: 'content-type',
  streamId: 'stream-id',
  ptsMs: 'pts-ms',
  capturedAt: 'captured-at',
  epoch: 'epoch',
  frameIndex: 'frame-index',
  pixelKind: 'pixel-kind',
  questions: 'questions',
  sampling: 'sampling',
  traceparent: 'traceparent',
  tracestate: 'tracestate',
} as const
