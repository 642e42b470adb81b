/**
 * Cameras, Kafka and faults together, for as many minutes as the argument says (default 5).
 *
 * Prints the ledger, the slope of the resident memory, the lag of the cameras, and reconnects; ends with 1 where
 * the ledger doesn't balance, something is left in flight, or memory grows by 1 MB a minute or more.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

import { answer, byFps, definePipeline, encode, jsonLines, kafkaSink, kafkaSource, rtsp, slidingWindow, start } from 'tinyllava-stream'
import type { LedgerCounts } from 'tinyllava-stream'

import { createFakeModel } from './fake-model.js'
import { startFeed } from './feed.js'
import { startBroker, startCameras } from './servers.js'

const minutes = Number(process.argv[2] ?? 5)
const SAMPLE_MS = 5_000
const FAULT_EVERY_MS = 60_000
/** Caches fill and code is compiled at first. */
const WARM_UP = 0.25

const names = ['door', 'yard', 'hall']
const [broker, cameras] = await Promise.all([startBroker(), startCameras(names)])
const feed = await startFeed(broker.address, { topic: 'frames', keys: ['a', 'b', 'c', 'd'], everyMs: 100 })
const folder = mkdtempSync(join(tmpdir(), 'soak-'))
const connection = { brokers: [broker.address] }

const run = start(
  definePipeline({
    name: 'soak',
    model: createFakeModel(),
    sources: [
      ...names.map((name) => rtsp(`rtsp://${cameras.address}/${name}`, { id: name, sampling: byFps(5), reconnect: { maxDelayMs: 2_000 } })),
      kafkaSource({ ...connection, id: 'topic', topic: 'frames', groupId: 'soak', deadLetterTopic: 'dead' }),
    ],
    stream: (frames, { model }) => frames.pipe(encode(model), slidingWindow({ frames: 8, every: 4 }), answer(model, 'What happens?')),
    sinks: [
      kafkaSink({ ...connection, topic: 'answers' }),
      jsonLines(join(folder, 'answers.jsonl'), { rotate: { maxBytes: 1_000_000, keep: 2 } }),
    ],
  }),
)
const noticed = new Map<string, number>()
run.events$.subscribe((event) => {
  if (event.kind === 'source-notice') noticed.set(event.notice.kind, (noticed.get(event.notice.kind) ?? 0) + 1)
})
let worstLagMs = 0
run.answers$.subscribe(({ clip: { capturedAt } }) => {
  if (capturedAt !== null) worstLagMs = Math.max(worstLagMs, Date.now() - Date.parse(capturedAt))
})
const done = run.done.then(
  () => undefined,
  (error: unknown) => error,
)

const samples: { readonly minute: number; readonly megabytes: number }[] = []
let faults = 0
const begin = Date.now()
for (let nextFault = begin + FAULT_EVERY_MS; Date.now() - begin < minutes * 60_000; ) {
  await delay(SAMPLE_MS)
  samples.push({ minute: (Date.now() - begin) / 60_000, megabytes: process.memoryUsage().rss / 1e6 })
  if (Date.now() < nextFault) continue
  nextFault += FAULT_EVERY_MS
  faults += 1
  await (faults % 2 === 0 ? broker : cameras).crash()
}
await feed.stop()
const failure = await Promise.race([run.stop().then(() => undefined, (error: unknown) => error), done])
const { totals } = run.status()
await Promise.all([broker.stop(), cameras.stop()])
rmSync(folder, { recursive: true })

const slope = slopeOf(samples.slice(Math.floor(samples.length * WARM_UP)))
const problems = [
  ...problemsOf(totals),
  ...(slope < 1 ? [] : [`memory grows by ${slope.toFixed(2)} MB a minute`]),
  ...(failure === undefined ? [] : [`the run failed: ${failure instanceof Error ? failure.message : 'unknown'}`]),
]
console.log(`${minutes} minutes, ${faults} crashes of servers, ${feed.sent()} messages sent`)
console.log('ledger', totals)
console.log('notices', Object.fromEntries(noticed))
console.log(`resident memory: ${slope.toFixed(3)} MB a minute, ${samples.at(-1)?.megabytes.toFixed(0)} MB at the end`)
console.log(`worst lag of a camera's answer, reconnects included: ${worstLagMs} ms`)
console.log(problems.length === 0 ? 'the ledger balances' : `PROBLEMS: ${problems.join('; ')}`)
process.exit(problems.length === 0 ? 0 : 1)

/** Megabytes a minute, by least squares. */
function slopeOf(list: typeof samples): number {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
  const [minute, megabytes] = [mean(list.map((each) => each.minute)), mean(list.map((each) => each.megabytes))]
  const spread = list.reduce((sum, each) => sum + (each.minute - minute) ** 2, 0)
  return list.reduce((sum, each) => sum + (each.minute - minute) * (each.megabytes - megabytes), 0) / spread
}

function problemsOf(counts: LedgerCounts): readonly string[] {
  const dropped = Object.values(counts.dropped).reduce((sum, count) => sum + count, 0)
  const { handedOut, encoded, forwarded, skipped, failed, framesInFlight } = counts
  const { asked, answered, questionsFailed, questionsInFlight, results, delivered, deliveriesFailed, deliveriesInFlight } = counts
  return [
    ...(handedOut === encoded + forwarded + skipped + dropped + failed + framesInFlight ? [] : ['frames do not add up']),
    ...(asked === answered + questionsFailed + questionsInFlight ? [] : ['questions do not add up']),
    ...(results === delivered + deliveriesFailed + deliveriesInFlight ? [] : ['deliveries do not add up']),
    ...(framesInFlight + questionsInFlight + deliveriesInFlight === 0 ? [] : ['something is left in flight']),
  ]
}
