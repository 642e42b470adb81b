import sharp from 'sharp'
import { expect, test } from 'vitest'

import type { StreamError } from '../../../src/errors.js'
import type { ReadRecord } from '../../../src/kafka/group-reader.js'
import { uniform } from '../../../src/sampling/uniform.js'
import { allowList } from '../../../src/sources/allow-list.js'
import { cameraSchema } from '../../../src/sources/kafka/open-video.js'
import { PartitionLife } from '../../../src/sources/kafka/partition.js'
import type { PartitionSetup } from '../../../src/sources/kafka/partition.js'
import { downloadSchema } from '../../../src/sources/remote-file/settings.js'
import type { SourceNotice } from '../../../src/sources/source.js'

const picture = await sharp({ create: { width: 2, height: 2, channels: 3, background: '#fff' } }).png().toBuffer()

function record(offset: number, fields: Partial<ReadRecord> & { readonly ptsMs?: number }): ReadRecord {
  const { ptsMs = offset * 1000, ...rest } = fields
  return {
    ...{ topic: 'in', partition: 0, offset, timestampMs: 0, key: Buffer.from('a'), value: picture },
    headers: [
      ['content-type', Buffer.from('image/png')],
      ['pts-ms', Buffer.from(String(ptsMs))],
    ],
    ...rest,
  }
}

/** A life whose frames are passed over as they come, and what it tells. */
function open(overrides: Partial<PartitionSetup> = {}) {
  const told = { streams: [] as string[], epochs: new Map<string, Set<number>>(), notices: [] as SourceNotice[], failures: [] as unknown[] }
  const life = new PartitionLife({
    ...{ topic: 'in', stateTopic: 'state', cluster: 'fake', partition: 0, deadLetterTopic: 'dead', offset: 0, values: new Map<string, string>() },
    ...{ maxFramesInFlight: 4, maxMessageBytes: 1e6, windowIdleMs: 60_000, commitIntervalMs: 1, isExactlyOnce: true },
    videos: {
      reading: { sampling: uniform(16), maxFramesInFlight: 4 },
      ...{ allow: allowList([]), download: downloadSchema.parse({}), camera: cameraSchema.parse({}) },
    },
    ...{ now: () => 0, onTaken: () => undefined, commit: () => Promise.resolve() },
    notify: (notice) => void told.notices.push(notice),
    onFailure: (error) => void told.failures.push(error),
    onStream: ({ info, frames }) => {
      told.streams.push(info.id)
      frames.subscribe(({ stream, receipt }) => {
        const { id, epoch } = stream
        told.epochs.set(id, (told.epochs.get(id) ?? new Set()).add(epoch))
        receipt.settle({ kind: 'skipped' })
      })
    },
    ...overrides,
  })
  return { life, ...told }
}

test('senders whose clocks differ by more than `windowIdleMs` share a partition', async () => {
  const { life, streams, epochs } = open()
  const ahead = { key: Buffer.from('b'), timestampMs: 120_000 }
  life.push(Array.from({ length: 20 }, (_, offset) => record(offset, offset % 2 === 0 ? {} : ahead)))
  await expect.poll(() => life.nextOffset).toBe(20)
  // The first message of a sender that is ahead looks like a gap, once.
  expect(streams).toEqual(['a', 'b', 'a'])
  expect([...epochs.values()].map(({ size }) => size)).toEqual([2, 1])
})

test('a key is closed once others have gone on for `windowIdleMs` without it', async () => {
  const { life, streams } = open()
  const b = (timestampMs: number) => ({ key: Buffer.from('b'), timestampMs })
  life.push([record(0, {}), record(1, b(0)), record(2, b(60_000)), record(3, { timestampMs: 60_000 })])
  await expect.poll(() => life.nextOffset).toBe(4)
  expect(streams).toEqual(['a', 'b', 'b', 'a'])
})

test('messages that can’t be used wait in the queue while dead letters can’t be written', async () => {
  const { life, notices } = open({ commit: () => new Promise(() => undefined) })
  life.push(Array.from({ length: 200 }, (_, offset) => record(offset, { value: Buffer.alloc(1000) })))
  await expect.poll(() => notices.length).toBe(16)
  expect(life.nextOffset).toBe(16)
  expect(life.waitingBytes).toBeGreaterThan(180 * 1000)
  life.revoke()
})

test('what waits counts with its key and its headers', () => {
  const { life } = open({ commit: () => new Promise(() => undefined) })
  life.push([record(0, {}), record(1, {}), record(2, { value: null, headers: [['note', Buffer.alloc(5000)]] })])
  expect(life.waitingBytes).toBeGreaterThan(5000)
  life.revoke()
})

test('a stop keeps a frame that is only just being handed out from counting', async () => {
  const held: { settle: () => void }[] = []
  const { life, failures } = open({
    maxFramesInFlight: 1,
    onStream: ({ frames }) => {
      frames.subscribe(({ receipt }) => {
        held.push({ settle: () => { receipt.settle({ kind: 'skipped' }) } })
      })
    },
  })
  life.push([record(0, {}), record(1, {})])
  await expect.poll(() => held.length).toBe(1)
  // The room that the second one waits for, and the stop, at the same moment.
  held[0]?.settle()
  life.stopTaking()
  await life.drain()
  expect(held).toHaveLength(1)
  expect(life.nextOffset).toBe(1)
  expect(failures as StreamError[]).toEqual([])
})
