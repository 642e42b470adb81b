import { defer, from, mergeMap } from 'rxjs'
import type { z } from 'zod'

import { createLedger } from '../../ledger.js'
import type { AllowList } from '../allow-list.js'
import { fileStream } from '../decoding/file-stream.js'
import type { VideoReading } from '../decoding/file-stream.js'
import { file } from '../file.js'
import { MOST_IMAGE_BYTES, image } from '../image.js'
import { isImagePath } from '../image/image-name.js'
import type { ClipMessage, ReferenceMessage } from './message.js'
import type { Download } from '../remote-file/settings.js'
import { optionsSchema, reconnectSchema } from '../rtsp/settings.js'
import type { RtspOptions } from '../rtsp/settings.js'
import { rtsp } from '../rtsp.js'
import type { FrameStream, Source } from '../source.js'
import { inlineVideo } from '../temporary-video.js'

/** How cameras in references are connected to: as `rtsp` does, but not for ever. */
export type CameraOptions = Pick<RtspOptions, 'transport' | 'noFrameTimeoutMs' | 'reconnect'>

/** A camera that is off would hold its partition's offset: after about three minutes it is the message's fault. */
const MOST_ATTEMPTS = 10

/** `CameraOptions`, `reconnect.maxAttempts` 10 by default. */
export const cameraSchema = optionsSchema
  .pick({ transport: true, noFrameTimeoutMs: true })
  .extend({ reconnect: reconnectSchema.extend({ maxAttempts: reconnectSchema.shape.maxAttempts.default(MOST_ATTEMPTS) }).prefault({}) })

/** How videos in messages are read where a message doesn't say otherwise. */
export interface VideoDefaults {
  readonly reading: VideoReading
  /** Where references may lead to. */
  readonly allow: AllowList
  readonly download: Omit<Download, 'allow'>
  readonly camera: z.infer<typeof cameraSchema>
}

/**
 * The stream of a message that is a video, or says where one is. Nothing is opened before its frames are
 * subscribed to; a reference that isn't allowed errors with `ADDRESS_NOT_ALLOWED`.
 */
export function openVideo(message: ClipMessage | ReferenceMessage, defaults: VideoDefaults): FrameStream {
  if (message.kind === 'reference') return openReference(message, defaults)
  const { streamId, extension, bytes, sampling = defaults.reading.sampling } = message
  const lend = inlineVideo(bytes, { shownAs: `the clip of ${streamId}`, name: `clip${extension}` })
  return fileStream(lend, { ...defaults.reading, sampling, id: streamId, kind: 'kafka' })
}

function openReference(reference: ReferenceMessage, defaults: VideoDefaults): FrameStream {
  const frames = defer(() => from(sourceOf(reference, defaults))).pipe(
    mergeMap(({ streams }) => streams),
    mergeMap((stream) => stream.frames),
  )
  // Frames bring the stream they really come from: this stands for it until then.
  const info = {
    ...{ id: reference.streamId, epoch: 0, kind: 'kafka', isLive: false, ledger: createLedger() },
    health: () => ({ coverage: 1, warnings: [] }),
  }
  return { info, frames }
}

async function sourceOf(reference: ReferenceMessage, { reading, allow, download, camera }: VideoDefaults): Promise<Source> {
  const { streamId: id, uri } = reference
  const address = await allow.check(uri)
  if (reference.isLive) {
    const { durationMs, sampling } = reference
    return rtsp(uri, { ...camera, id, durationMs, ...(sampling === undefined ? {} : { sampling }) })
  }
  const place = address.kind === 'file' ? address.path : uri
  if (isImagePath(place)) return image(place, { id, download: { ...download, allow, maxBytes: Math.min(download.maxBytes, MOST_IMAGE_BYTES) } })
  const settings = { id, sampling: reference.sampling ?? reading.sampling, maxFramesInFlight: reading.maxFramesInFlight }
  return file(place, { ...settings, download: { ...download, allow } })
}
