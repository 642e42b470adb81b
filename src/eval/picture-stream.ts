import { readFile } from 'node:fs/promises'

import { StreamError } from '../errors.js'
import { decodeImage } from '../image-codec.js'
import { createLedger } from '../ledger.js'
import { type Picture, pacedFrames } from '../sources/decoding/paced-frames.js'
import type { FrameStream } from '../sources/source.js'
import type { StreamInfo } from '../types.js'

/** Pictures decoded and not yet taken by the model. */
const MAX_IN_FLIGHT = 8

/**
 * Picture files as the frames of one stream, in this order, with the pixels that Pillow gives the reference.
 *
 * The frames error with `VIDEO_NOT_FOUND` where a file isn't there, with `FRAME_UNREADABLE` or `FRAME_TOO_LARGE`.
 *
 * @param id Name of the stream.
 */
export function pictureStream(id: string, paths: readonly string[]): FrameStream {
  const health = { coverage: 1, warnings: [] }
  const info: StreamInfo = { id, epoch: 0, kind: 'pictures', isLive: false, ledger: createLedger(), health: () => health }
  return { info, frames: pacedFrames(info, { maxFramesInFlight: MAX_IN_FLIGHT }, () => readPictures(paths)) }
}

async function* readPictures(paths: readonly string[]): AsyncGenerator<Picture> {
  for (const [index, path] of paths.entries()) {
    const bytes = await readFile(path).catch((cause: unknown) => {
      throw new StreamError('VIDEO_NOT_FOUND', `There is no picture ${path}, or this user may not read it.`, { cause })
    })
    yield { index, ptsMs: index, ...(await decodeImage(bytes, { what: path, orient: false, colours: 'stored' })) }
  }
}
