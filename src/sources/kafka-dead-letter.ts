import type { OutgoingRecord } from '../delivery.js'
import type { StreamError } from '../errors.js'
import type { ReadRecord } from '../kafka/group-reader.js'

/** Values above this aren't copied: a topic takes a megabyte unless it is told otherwise, and the original is still there. */
const MOST_BYTES = 900_000

/** The record that tells of a message that can't be used: the message with its headers, what is wrong, and where it was. */
export function deadLetter(
  { topic, partition, offset, key, value, headers, timestampMs }: ReadRecord,
  letter: { readonly topic: string; readonly error: StreamError },
): OutgoingRecord {
  const isCopied = value !== null && value.length <= MOST_BYTES
  return {
    topic: letter.topic,
    key: key?.toString() ?? `${topic}/${partition}`,
    value: isCopied ? value : null,
    headers: {
      ...Object.fromEntries(headers.map(([name, bytes]) => [name, bytes.toString()])),
      'error-code': letter.error.code,
      'error-message': letter.error.message,
      'original-topic': topic,
      'original-partition': String(partition),
      'original-offset': String(offset),
      'original-timestamp': String(timestampMs),
      ...(isCopied || value === null ? {} : { 'value-omitted-bytes': String(value.length) }),
    },
  }
}
