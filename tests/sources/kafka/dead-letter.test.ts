import { expect, test } from 'vitest'

import { StreamError } from '../../../src/errors.js'
import type { ReadRecord } from '../../../src/kafka/group-reader.js'
import { deadLetter } from '../../../src/sources/kafka/dead-letter.js'

const error = new StreamError('MESSAGE_INVALID', 'It is none.')
const notUtf8 = Buffer.from([0xff, 0xfe, 0x00])
const letterOf = (fields: Partial<ReadRecord>) => {
  const record = { topic: 'frames', partition: 3, offset: 42, timestampMs: 1000, key: null, value: null, headers: [] }
  return deadLetter({ ...record, ...fields }, { topic: 'dead', error })
}

test('holds the message to the byte, what is wrong, and where it was', () => {
  const headers: ReadRecord['headers'] = [['note', notUtf8], ['note', Buffer.from('again')]]
  expect(letterOf({ key: notUtf8, value: notUtf8, headers })).toEqual({
    ...{ topic: 'dead', key: notUtf8, value: notUtf8 },
    headers: {
      note: [notUtf8, Buffer.from('again')],
      ...{ 'error-code': 'MESSAGE_INVALID', 'error-message': 'It is none.', 'original-topic': 'frames' },
      ...{ 'original-partition': '3', 'original-offset': '42', 'original-timestamp': '1000' },
    },
  })
})

test('a message without key and value stays one', () => {
  expect(letterOf({})).toMatchObject({ key: null, value: null })
})

test('leaves out what would not fit: the value, then the headers', () => {
  const value = Buffer.alloc(900_001)
  const large = letterOf({ value, headers: [['note', notUtf8]] })
  expect(large).toMatchObject({ value: null, headers: { note: [notUtf8], 'value-omitted-bytes': '900001' } })
  const both = letterOf({ value: Buffer.alloc(900_000), headers: [['note', Buffer.alloc(899_000)]] })
  expect(both).toMatchObject({ value: null, headers: { 'value-omitted-bytes': '900000' } })
  const headers = letterOf({ value: notUtf8, headers: [['note', value]] })
  expect(headers).toMatchObject({ value: notUtf8, headers: { 'headers-omitted-bytes': '900005' } })
  expect(headers.headers).not.toHaveProperty('note')
})
