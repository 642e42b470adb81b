// A process of a pipeline from Kafka to Kafka, for tests that kill it. Its settings are its one argument, as JSON; what
// happens goes to its output, one JSON line an event. SIGTERM drains it.
import { answer } from '../../src/operators/answer.js'
import { encode } from '../../src/operators/encode.js'
import { slidingWindow } from '../../src/operators/sliding-window.js'
import { definePipeline } from '../../src/service/define-pipeline.js'
import type { RunEvent } from '../../src/service/events.js'
import { start } from '../../src/service/start.js'
import { kafkaSink } from '../../src/sinks/kafka.js'
import { kafkaSource } from '../../src/sources/kafka.js'
import { WINDOW } from './numbered-frames.js'
import { createNumberedModel } from './numbered-model.js'
import type { WorkerLine, WorkerSettings } from './workers.js'

const { brokers, topics, delivery, questions, model, source } = JSON.parse(process.argv[2] ?? '') as WorkerSettings
const connection = { brokers: [brokers] }

const run = start(
  definePipeline({
    ...{ name: 'worker', delivery, model: createNumberedModel(model) },
    sources: [
      kafkaSource({
        ...{ ...connection, topic: topics.input, groupId: topics.group, deadLetterTopic: topics.dead },
        ...source,
      }),
    ],
    stream: (frames, context) => frames.pipe(encode(context.model), slidingWindow(WINDOW), answer(context.model, questions)),
    sinks: [kafkaSink({ ...connection, topic: topics.output })],
  }),
)
run.events$.subscribe(report)
process.once('SIGTERM', () => void run.stop())
tell({ kind: 'ready' })
run.done.then(
  () => {
    tell({ kind: 'totals', totals: run.status().totals })
  },
  (error: unknown) => {
    tell({ kind: 'failure', reason: String(error) })
    process.exitCode = 1
  },
)

function report(event: RunEvent): void {
  if (event.kind === 'source-notice') tell({ kind: 'notice', notice: event.notice })
  if (event.kind === 'stream-start') tell({ kind: 'stream', streamId: event.streamId })
}

function tell(line: WorkerLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}
