import { StreamError } from '../errors.js'
import type { FrameStream } from '../sources/source.js'

/** Passes a source's first stream on: a second one is another video, whose answers nobody could tell from the first one's. */
export function expectFirst(stream: FrameStream, place: number): FrameStream {
  if (place === 0) return stream
  const message = '`ask` takes one video, and the source gave a second stream. Ask about each, or `start` a pipeline.'
  throw new StreamError('PIPELINE_INVALID', message)
}
