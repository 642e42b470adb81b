import type { z } from 'zod'

import { checkPart, invalidMessage, jsonOf, textOf } from './message-headers.js'
import { liveReferenceSchema, videoReferenceSchema } from './message-schema.js'
import { redactUrl } from '../redact.js'

/** A video file elsewhere. */
export type VideoReference = Readonly<z.infer<typeof videoReferenceSchema>> & { readonly isLive: false }

/** A camera, watched for `durationMs`. */
export type LiveReference = Readonly<z.infer<typeof liveReferenceSchema>> & { readonly isLive: true }

/** Bytes of a reference. Addresses and questions are short; anything longer is something else. */
const MAX_BYTES = 1 << 20

/**
 * Reads a reference to a video.
 *
 * @param where What messages call the message.
 * @throws {StreamError} `MESSAGE_INVALID`, naming each wrong field and showing no value.
 */
export function readReference(bytes: Uint8Array, where: string): VideoReference | LiveReference {
  if (bytes.length > MAX_BYTES) throw invalidMessage(where, `value: expected at most ${MAX_BYTES} bytes of JSON`)
  const value = jsonOf(textOf(bytes))
  if (value === undefined) throw invalidMessage(where, 'value: expected JSON in UTF-8')

  // The scheme decides which fields there are, so that a mistake is told of the right ones.
  return hasLiveUri(value)
    ? { ...withoutLogin(checkPart(liveReferenceSchema, value, where)), isLive: true }
    : { ...withoutLogin(checkPart(videoReferenceSchema, value, where)), isLive: false }
}

/** Somebody may name a stream by its address. */
function withoutLogin<Reference extends { streamId: string }>(reference: Reference): Reference {
  return { ...reference, streamId: redactUrl(reference.streamId) }
}

function hasLiveUri(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || !('uri' in value)) return false
  return typeof value.uri === 'string' && /^rtsps?:/i.test(value.uri)
}
