import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { resultSchema } from '../../src/envelope.js'
import type { SinkNotice } from '../../src/sinks/sink.js'
import type { WebhookOptions } from '../../src/sinks/webhook-settings.js'
import { webhook } from '../../src/sinks/webhook.js'
import { createAnswer } from './contract.js'
import { createFakeTime } from './fake-time.js'
import type { FakeTime } from './fake-time.js'
import { Receiver } from './receiver.js'

let receiver: Receiver
let folder: string
let time: FakeTime
let notices: SinkNotice[]
beforeEach(async () => {
  receiver = await Receiver.start()
  folder = await mkdtemp(join(tmpdir(), 'webhook-spill-'))
  time = createFakeTime()
  notices = []
})
afterEach(async () => {
  await receiver.stop()
  await rm(folder, { recursive: true, force: true })
})

const PROBE_MS = 60_000
const open = async (options: WebhookOptions = {}, maxBytes = 1e6) => {
  const circuit = { failuresToOpen: 1, probeEveryMs: PROBE_MS }
  const sink = webhook(receiver.url, { circuit, spill: { folder, maxBytes }, closeLimitMs: 1000, ...options }, time)
  await sink.open?.({ notify: (notice) => notices.push(notice) })
  return sink
}
const writeAll = async (sink: Awaited<ReturnType<typeof open>>, texts: readonly string[]) => {
  for (const text of texts) await sink.write(createAnswer(text))
}
/** Closes a sink whose other end is down. */
const closeInVain = async (sink: Awaited<ReturnType<typeof open>>) => {
  const closing = sink.close?.()
  await time.whenWaiting(1000)
  time.advance(1000)
  await closing
}
const noticeKinds = () => notices.map(({ kind }) => kind)
const waitingFiles = async () => (await readdir(folder)).filter((name) => /^\d+\.jsonl$/.test(name))

describe('webhook with `spill`', () => {
  test('nothing touches the disk while the other end works', async () => {
    const sink = await open()
    await writeAll(sink, ['1', '2'])
    expect(receiver.answers).toEqual(['1', '2'])
    expect(await waitingFiles()).toEqual([])
    await sink.close?.()
  })

  test('while the other end is down for a minute nothing waits but the disk, and all comes in order', async () => {
    const sink = await open()
    await writeAll(sink, ['1'])
    await receiver.stop()
    await writeAll(sink, ['2', '3', '4'])
    await time.whenWaiting(PROBE_MS)
    time.advance(PROBE_MS)
    await time.whenWaiting(PROBE_MS)
    await receiver.start()
    time.advance(PROBE_MS)
    await receiver.whenReceived(2)
    await writeAll(sink, ['5', '6'])
    await sink.close?.()
    expect(receiver.answers).toEqual(['1', '2', '3', '4', '5', '6'])
    expect(noticeKinds()).toEqual(['sink-circuit-open', 'sink-circuit-closed'])
    expect(await waitingFiles()).toEqual([])
  })

  test('tries again before the circuit opens', async () => {
    receiver.replies.push({ status: 500 }, { status: 500 })
    const sink = await open({ circuit: { failuresToOpen: 3 } })
    const writing = sink.write(createAnswer('1'))
    for (const delayMs of [500, 1000]) {
      await time.whenWaiting(delayMs)
      time.advance(delayMs)
    }
    await writing
    expect(noticeKinds()).toEqual([])
    await sink.close?.()
  })

  test('what is left stays on disk, and the next run sends it first', async () => {
    await receiver.stop()
    const first = await open()
    await writeAll(first, ['1', '2', '3'])
    await closeInVain(first)
    expect(notices.at(-1)).toMatchObject({ kind: 'sink-spill-left', fields: { waiting: 3 } })

    await receiver.start()
    const second = await open()
    await writeAll(second, ['4'])
    await second.close?.()
    expect(receiver.answers).toEqual(['1', '2', '3', '4'])
    expect(noticeKinds().slice(2)).toEqual(['sink-spill-found'])
    expect(await waitingFiles()).toEqual([])
  })

  test('`close` sends what it can within its limit', async () => {
    await receiver.stop()
    const sink = await open({ closeLimitMs: 2 * PROBE_MS })
    await writeAll(sink, ['1', '2'])
    await receiver.start()
    const closing = sink.close?.()
    await time.whenWaiting(PROBE_MS)
    time.advance(PROBE_MS)
    await closing
    expect(receiver.answers).toEqual(['1', '2'])
    expect(noticeKinds()).toEqual(['sink-circuit-open', 'sink-circuit-closed'])
  })

  test('when it is full a write waits: nothing is dropped, and order is kept', async () => {
    const lineBytes = JSON.stringify(createAnswer('1')).length + 1
    await receiver.stop()
    const sink = await open({}, 3 * lineBytes)
    await writeAll(sink, ['1', '2', '3'])
    let isWritten = false
    const writing = sink.write(createAnswer('4')).then(() => (isWritten = true))
    await whenNoticed('sink-spill-full')
    expect(isWritten).toBe(false)
    await receiver.start()
    await time.whenWaiting(PROBE_MS)
    time.advance(PROBE_MS)
    await writing
    await writeAll(sink, ['5'])
    await sink.close?.()
    expect(receiver.answers).toEqual(['1', '2', '3', '4', '5'])
    expect(noticeKinds()).toEqual(['sink-circuit-open', 'sink-spill-full', 'sink-circuit-closed'])
  })

  test('a write that waits for room at the end was not acknowledged, and says so', async () => {
    const lineBytes = JSON.stringify(createAnswer('1')).length + 1
    await receiver.stop()
    const sink = await open({}, lineBytes)
    await writeAll(sink, ['1'])
    const written = expect(sink.write(createAnswer('2'))).rejects.toMatchObject({ code: 'SINK_FAILED' })
    await whenNoticed('sink-spill-full')
    const closed = expect(closeInVain(sink)).rejects.toMatchObject({ code: 'SINK_FAILED' })
    await Promise.all([written, closed])
  })

  test('a refused result is kept beside, with the reason, and doesn’t hold up the others', async () => {
    receiver.replies.push({ status: 413 })
    const sink = await open()
    await writeAll(sink, ['bad', 'good'])
    await sink.close?.()
    const refused: unknown = JSON.parse(await readFile(join(folder, 'refused.jsonl'), 'utf8'))
    const refusedAt = new Date(time.now()).toISOString()
    expect(refused).toEqual({ refusedAt, reason: 'it answered 413', result: createAnswer('bad') })
    expect(resultSchema.parse((refused as { readonly result: unknown }).result)).toEqual(createAnswer('bad'))
    expect(notices).toMatchObject([{ kind: 'sink-refused', fields: { isKept: true } }])
  })

  test('beyond `maxBytes` of refused results, and where they can’t be kept, the end says so', async () => {
    receiver.reply = { status: 400 }
    const sink = await open({}, JSON.stringify(createAnswer('bad')).length + 100)
    await writeAll(sink, ['bad', 'bad'])
    expect(notices.map(({ fields }) => fields.isKept)).toEqual([true, false])
    await expect(sink.close?.()).rejects.toMatchObject({ message: expect.stringContaining('1 results') as unknown })
  })

  test('a line that the disk damaged is put beside, and the others are sent', async () => {
    await receiver.stop()
    const first = await open()
    await writeAll(first, ['1', '2', '3'])
    await closeInVain(first)
    const [name = ''] = await waitingFiles()
    const text = await readFile(join(folder, name), 'utf8')
    await writeFile(join(folder, name), text.replace('"answer":"2"', '"answer:"2"""'))
    await receiver.start()
    const second = await open()
    await second.close?.()
    expect(receiver.answers).toEqual(['1', '3'])
    const refused = JSON.parse(await readFile(join(folder, 'refused.jsonl'), 'utf8')) as { readonly result: unknown }
    expect(refused.result).toContain('"answer:"2"""')
  })

  test('trouble with the disk while results are sent from it is SINK_FAILED', async () => {
    await receiver.stop()
    const sink = await open()
    await writeAll(sink, ['1'])
    const [name = ''] = await waitingFiles()
    await rm(join(folder, name))
    await time.whenWaiting(PROBE_MS)
    await receiver.start()
    time.advance(PROBE_MS)
    await receiver.whenReceived(1)
    await expect(sink.close?.()).rejects.toMatchObject({ code: 'SINK_FAILED' })
  })

  async function whenNoticed(kind: SinkNotice['kind']): Promise<void> {
    while (!noticeKinds().includes(kind)) await new Promise((resolve) => setImmediate(resolve))
  }
})
