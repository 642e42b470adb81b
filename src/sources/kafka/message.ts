import { StreamError } from '../../errors.js'
import { MESSAGE_HEADERS } from '../../message-headers.js'
import type { TraceCarrier } from '../../origin.js'
import type { Sampling } from '../../sampling/sampling.js'
import type { Question } from '../../types.js'
import { type FrameFacts, MessageHeaders, textOf } from './message-headers.js'
import { type LiveReference, type VideoReference, readReference } from './message-reference.js'

/** A message as a client hands it over. */
export interface RawMessage {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  /** Milliseconds since 1970, by the producer's clock or the broker's. */
  readonly timestamp: bigint
  readonly key?: Uint8Array | undefined
  readonly value?: Uint8Array | undefined
  /** Where a name comes twice, the last counts. */
  readonly headers: Iterable<readonly [name: string, value: Uint8Array | string]>
}

/** What each shape of message says beside its video. */
interface MessageBase {
  readonly streamId: string
  /** They override the pipeline's. */
  readonly questions?: readonly Question[]
  /** The trace the message belongs to. */
  readonly trace?: TraceCarrier
}

/** A whole encoded clip. */
export interface ClipMessage extends MessageBase {
  readonly kind: 'clip'
  /** Its file name's extension, with a dot. */
  readonly extension: string
  readonly bytes: Uint8Array
  readonly sampling?: Sampling
}

/** One encoded picture. */
export interface FrameMessage extends MessageBase, FrameFacts {
  readonly kind: 'frame'
  readonly bytes: Uint8Array
}

/** Where a video is. Nothing has been checked of where that leads: that is the allow list's. */
export type ReferenceMessage = MessageBase & { readonly kind: 'reference' } & (VideoReference | LiveReference)

/** A message that carries video, told apart by `kind`. */
export type Message = ClipMessage | FrameMessage | ReferenceMessage

const CLIPS: ReadonlyMap<string, string> = new Map([
  ['video/mp4', '.mp4'],
  ['video/mp2t', '.ts'],
  ['video/x-matroska', '.mkv'],
  ['video/webm', '.webm'],
])
const FRAMES: ReadonlySet<string> = new Set(['image/jpeg', 'image/png', 'image/webp'])
const REFERENCE = 'application/json'

/**
 * Reads a message that carries video: a clip, a picture, or a reference to a video elsewhere, told apart by the
 * header `content-type` and by nothing else. `docs/MESSAGES.md` describes all of them.
 *
 * Pure: decodes no video and opens nothing. No message of an error shows a header's or a field's value.
 *
 * @throws {StreamError} `MESSAGE_EMPTY`, `MESSAGE_TYPE_UNKNOWN`, `MESSAGE_INVALID` (names the header or field).
 * All are permanent, and there are no others.
 */
export function readMessage(message: RawMessage): Message {
  const where = `Message ${message.offset} of ${message.topic}[${message.partition}]`
  const { value } = message
  const headers = new MessageHeaders(message.headers, where)
  const contentType = headers.text(MESSAGE_HEADERS.contentType)?.split(';')[0]?.trim().toLowerCase()
  const extension = CLIPS.get(contentType ?? '')
  const isKnown = extension !== undefined || FRAMES.has(contentType ?? '') || contentType === REFERENCE
  if (!isKnown) throw unknownType(where, contentType)
  if (value === undefined || value.length === 0) {
    throw new StreamError('MESSAGE_EMPTY', `${where} has no value. Send the clip, picture or reference as its value.`)
  }
  if (contentType === REFERENCE) return { kind: 'reference', ...readReference(value, where), ...headers.trace() }
  const base = { ...streamIdOf(message, { headers, where }), ...headers.questions(), ...headers.trace(), bytes: value }
  return extension === undefined
    ? { kind: 'frame', ...base, ...headers.frame(message.timestamp) }
    : { kind: 'clip', extension, ...base, ...headers.sampling() }
}

function streamIdOf(
  { key }: RawMessage,
  { headers, where }: { headers: MessageHeaders; where: string },
): { readonly streamId: string } {
  const fromHeader = headers.streamId()
  if (fromHeader !== undefined) return { streamId: fromHeader }
  const fromKey = key === undefined ? undefined : textOf(key)
  if (fromKey === undefined) {
    const message = `${where} has no stream id: set its key (text), or the header \`stream-id\`.`
    throw new StreamError('MESSAGE_INVALID', message)
  }
  return { streamId: headers.checkStreamId('key', fromKey) }
}

function unknownType(where: string, contentType: string | undefined): StreamError {
  const known = [...CLIPS.keys(), ...FRAMES, REFERENCE].join(', ')
  const found = contentType === undefined ? 'no header `content-type`' : 'a `content-type` that is none of the known ones'
  return new StreamError('MESSAGE_TYPE_UNKNOWN', `${where} has ${found}: ${known}.`)
}
