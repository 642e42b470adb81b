/**
 * Answers about the frames and clips of a Kafka topic, into another topic, each answer exactly once.
 *
 * ```sh
 * KAFKA_BROKERS=127.0.0.1:9092 npx tinyllava-stream run pipelines/kafka-worker.ts "Is anybody at the door?"
 * ```
 *
 * Run it as often as there are machines: processes of one group share the topic's partitions, and where one is lost
 * the others go on with its windows. Frames come from `kafka-sampler.ts`, or from whoever writes messages as
 * docs/MESSAGES.md says. Both topics must be there; read the answers with `read_committed`.
 *
 * | variable | default |
 * | --- | --- |
 * | `KAFKA_BROKERS` | `127.0.0.1:9092`; several with commas between them |
 * | `KAFKA_FRAMES_TOPIC` | `frames` |
 * | `KAFKA_ANSWERS_TOPIC` | `answers` |
 * | `KAFKA_GROUP` | `kafka-worker` |
 * | `KAFKA_SESSION_TIMEOUT_MS` | 30000: how long a process may give no sign of life before the others take over |
 * | `KAFKA_DEAD_LETTER_TOPIC` | none: messages that can't be used are told of and passed over |
 */
import { answer, definePipeline, encode, kafkaSink, kafkaSource, slidingWindow, wholeClip } from 'tinyllava-stream'

const {
  KAFKA_BROKERS = '127.0.0.1:9092',
  KAFKA_FRAMES_TOPIC = 'frames',
  KAFKA_ANSWERS_TOPIC = 'answers',
  KAFKA_GROUP = 'kafka-worker',
  KAFKA_SESSION_TIMEOUT_MS = '30000',
  KAFKA_DEAD_LETTER_TOPIC,
} = process.env
const brokers = KAFKA_BROKERS.split(',')
const questions = process.argv.slice(2)

export default definePipeline({
  name: 'kafka-worker',
  delivery: 'exactly-once',
  sources: [
    kafkaSource({
      ...{ brokers, topic: KAFKA_FRAMES_TOPIC, groupId: KAFKA_GROUP, sessionTimeoutMs: Number(KAFKA_SESSION_TIMEOUT_MS) },
      ...(KAFKA_DEAD_LETTER_TOPIC !== undefined && { deadLetterTopic: KAFKA_DEAD_LETTER_TOPIC }),
    }),
  ],
  stream: (frames, { model, stream }) =>
    frames.pipe(
      encode(model),
      // Frames go on without end; a clip in one message is a stream of its own.
      stream.isLive ? slidingWindow({ frames: 16, every: 8 }) : wholeClip(),
      answer(model, questions.length > 0 ? questions : ['What is happening?']),
    ),
  sinks: [kafkaSink({ brokers, topic: KAFKA_ANSWERS_TOPIC })],
})
