import type { HeaderValue, OutgoingRecord } from '../delivery.js'
import type { StreamError } from '../errors.js'
import type { ReadRecord } from '../kafka/group-reader.js'

/** A letter of more bytes leaves parts out: a topic takes a megabyte unless it is told otherwise, and the original is still there. */
const MOST_BYTES = 900_000

/**
 * The record that tells of a message that can't be used: the message as it was, to the byte, what is wrong, and where it
 * was. Where that is too much, the value is left out, and then the message's headers, too.
 */
export function deadLetter(
  { topic, partition, offset, key, value, headers, timestampMs }: ReadRecord,
  letter: { readonly topic: string; readonly error: StreamError },
): OutgoingRecord {
  const [valueBytes, headerBytes] = [value?.length ?? 0, bytesOf(headers)]
  const areHeadersCopied = headerBytes <= MOST_BYTES
  const isValueCopied = (areHeadersCopied ? headerBytes : 0) + valueBytes <= MOST_BYTES
  return {
    topic: letter.topic,
    key,
    value: isValueCopied ? value : null,
    headers: {
      ...(areHeadersCopied ? collected(headers) : { 'headers-omitted-bytes': String(headerBytes) }),
      'error-code': letter.error.code,
      'error-message': letter.error.message,
      'original-topic': topic,
      'original-partition': String(partition),
      'original-offset': String(offset),
      'original-timestamp': String(timestampMs),
      ...(isValueCopied ? {} : { 'value-omitted-bytes': String(valueBytes) }),
    },
  }
}

/** By name; one that comes several times with all its values. */
function collected(headers: ReadRecord['headers']): Readonly<Record<string, HeaderValue>> {
  const byName = new Map<string, Uint8Array[]>()
  for (const [name, bytes] of headers) byName.set(name, [...(byName.get(name) ?? []), bytes])
  return Object.fromEntries(byName)
}

function bytesOf(headers: ReadRecord['headers']): number {
  return headers.reduce((sum, [name, bytes]) => sum + Buffer.byteLength(name) + bytes.length, 0)
}
