/**
 * Cameras, Kafka and faults together, for as many minutes as the argument says (default 5).
 *
 * Prints the ledger, the slope of the resident memory, the lag of cameras and Kafka, and reconnects. Ends with 1 where
 * the ledger doesn't balance, something is left in flight, a source has no answers, a message isn't read, the run
 * fails, or memory grows by 1 MB a minute or more.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

import { tap } from 'rxjs'
import { answer, byFps, definePipeline, encode, jsonLines, kafkaSink, kafkaSource, rtsp, slidingWindow, start } from 'tinyllava-stream'
import type { Run } from 'tinyllava-stream'

import { createFakeModel } from './fake-model.js'
import { startFeed } from './feed.js'
import type { Feed } from './feed.js'
import { FrameCount } from './frame-count.js'
import { startBroker, startCameras } from './servers.js'
import type { Server } from './servers.js'
import { problemsOf, slopeOf } from './verdict.js'
import type { MemorySample, Outcome } from './verdict.js'
import { sampleMemory, watch } from './watch.js'

const minutes = Number(process.argv[2] ?? 5)
const SAMPLE_MS = 5_000
const FAULT_EVERY_MS = 60_000
/** How long Kafka may take to be read to its end, once nothing is sent any more. */
const CATCH_UP_MS = 60_000
/** Caches fill and code is compiled at first. */
const WARM_UP = 0.25
const CAMERAS = ['door', 'yard', 'hall']
const KEYS = ['a', 'b', 'c', 'd']

interface Place {
  readonly broker: Server
  readonly cameras: Server
  /** For files. */
  readonly folder: string
}

const stops: (() => Promise<void> | void)[] = []
let problems: readonly string[]
try {
  problems = await soakAt(await openPlace())
} finally {
  for (const stop of stops.reverse()) await Promise.resolve(stop()).catch(() => undefined)
}
console.log(problems.length === 0 ? 'all flowed, and the ledger balances' : `PROBLEMS: ${problems.join('; ')}`)
process.exit(problems.length === 0 ? 0 : 1)

async function openPlace(): Promise<Place> {
  const folder = mkdtempSync(join(tmpdir(), 'soak-'))
  stops.push(() => {
    rmSync(folder, { recursive: true })
  })
  const broker = await startBroker()
  stops.push(broker.stop)
  const cameras = await startCameras(CAMERAS)
  stops.push(cameras.stop)
  return { broker, cameras, folder }
}

/** Runs it all, prints the figures, and gives what isn't as it should be. */
async function soakAt(place: Place): Promise<readonly string[]> {
  const feed = await startFeed(place.broker.address, { topic: 'frames', keys: KEYS, everyMs: 100 })
  stops.push(feed.stop)
  const read = new FrameCount(KEYS)
  const run = startRun(place, read)
  stops.push(() => run.stop({ drainTimeoutMs: 0 }))
  const seen = watch(run)
  const over = endOf(run, feed)

  const { samples, faults } = await bearFaults(place, over)
  await feed.stop()
  await until(() => read.count >= feed.usable(), over)
  const failure: unknown = await run.stop().catch((error: unknown) => error)

  const slope = slopeOf(samples.slice(Math.floor(samples.length * WARM_UP)))
  const outcome: Outcome = {
    ...{ totals: run.status().totals, sources: run.sources.list(), slope, failure },
    kafka: { usable: feed.usable(), read: read.count },
  }
  const lag = seen.kafkaLag()
  console.log(`${minutes} minutes, ${faults} crashes of servers`)
  console.log(`${feed.sent()} messages sent, ${feed.usable()} of them frames, ${read.count} read; lag ${lag.last}, at worst ${lag.worst}`)
  console.log('ledger', outcome.totals)
  console.log('answered', Object.fromEntries(outcome.sources.map(({ id, totals }) => [id, totals.answered])))
  console.log('notices', Object.fromEntries(seen.notices))
  console.log(`resident memory: ${slope.toFixed(3)} MB a minute, ${samples.at(-1)?.megabytes.toFixed(0)} MB at the end`)
  console.log(`worst lag of a camera's answer, reconnects included: ${seen.worstLagMs()} ms`)
  return problemsOf(outcome)
}

function startRun({ broker, cameras, folder }: Place, read: FrameCount): Run {
  const connection = { brokers: [broker.address] }
  return start(
    definePipeline({
      name: 'soak',
      model: createFakeModel(),
      sources: [
        ...CAMERAS.map((name) => rtsp(`rtsp://${cameras.address}/${name}`, { id: name, sampling: byFps(5), reconnect: { maxDelayMs: 2_000 } })),
        kafkaSource({ ...connection, id: 'topic', topic: 'frames', groupId: 'soak', deadLetterTopic: 'dead' }),
      ],
      stream: (frames, { model }) =>
        frames.pipe(
          tap((frame) => {
            read.add(frame)
          }),
          encode(model),
          slidingWindow({ frames: 8, every: 4 }),
          answer(model, 'What happens?'),
        ),
      sinks: [
        kafkaSink({ ...connection, topic: 'answers' }),
        jsonLines(join(folder, 'answers.jsonl'), { rotate: { maxBytes: 1_000_000, keep: 2 } }),
      ],
    }),
  )
}

/** Aborted once the run or the feed is over, which is too early until they are asked to. */
function endOf(run: Run, feed: Feed): AbortSignal {
  const over = new AbortController()
  const abort = (): void => {
    over.abort()
  }
  run.done.then(abort, abort)
  feed.done.catch(abort)
  return over.signal
}

/** Crashes the servers in turn until the time or the run is over. */
async function bearFaults(place: Place, over: AbortSignal): Promise<{ samples: readonly MemorySample[]; faults: number }> {
  const samples: MemorySample[] = []
  let faults = 0
  const begin = Date.now()
  for (let nextFault = begin + FAULT_EVERY_MS; Date.now() - begin < minutes * 60_000 && !over.aborted; ) {
    await delay(SAMPLE_MS, undefined, { signal: over }).catch(() => undefined)
    samples.push(sampleMemory(begin))
    if (Date.now() < nextFault) continue
    nextFault += FAULT_EVERY_MS
    faults += 1
    await (faults % 2 === 0 ? place.broker : place.cameras).crash()
  }
  return { samples, faults }
}

/** Waits for something, as long as Kafka may take at most. */
async function until(isSo: () => boolean, over: AbortSignal): Promise<void> {
  const end = Date.now() + CATCH_UP_MS
  while (!isSo() && Date.now() < end && !over.aborted) {
    await delay(200, undefined, { signal: over }).catch(() => undefined)
  }
}
