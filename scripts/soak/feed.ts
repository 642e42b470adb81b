import { Kafka, logLevel } from 'kafkajs'
import sharp from 'sharp'

/** Sends frames of several keys to a topic, until it is stopped; waits where the broker is away. */
export interface Feed {
  /** Messages that the broker has. */
  readonly sent: () => number
  /** Those of them that hold a picture. */
  readonly usable: () => number
  /** Resolves once it is stopped; rejects where the broker stays away. */
  readonly done: Promise<void>
  readonly stop: () => Promise<void>
}

/** What is sent. */
export interface FeedOptions {
  readonly topic: string
  readonly keys: readonly string[]
  /** Milliseconds between two pictures of a key. */
  readonly everyMs: number
}

/** Each attempt to reach the broker waits for up to a second. */
const RETRIES = 120

/** Makes the topics and starts to send. */
export async function startFeed(brokers: string, { topic, keys, everyMs }: FeedOptions): Promise<Feed> {
  const kafka = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING, retry: { retries: RETRIES, maxRetryTime: 1000 } })
  const admin = kafka.admin()
  await admin.connect()
  await admin.createTopics({ waitForLeaders: true, topics: [topic, 'answers', 'dead'].map((name) => ({ topic: name, numPartitions: 4 })) })
  await admin.disconnect()

  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  const picture = await sharp({ create: { width: 16, height: 16, channels: 3, background: '#804020' } }).jpeg().toBuffer()
  let [sent, usable] = [0, 0]
  let isStopped = false
  const send = async (): Promise<void> => {
    for (let second = 0; !isStopped; second += 1) {
      const messages = keys.map((key, place) => ({
        key,
        // Now and then one that can't be used.
        value: (second + place) % 97 === 96 ? Buffer.from('no picture') : picture,
        headers: { 'content-type': 'image/jpeg', 'pts-ms': String(second * 1000) },
      }))
      await producer.send({ topic, messages, acks: -1 })
      sent += messages.length
      usable += messages.filter(({ value }) => value === picture).length
      await new Promise((resolve) => setTimeout(resolve, everyMs))
    }
  }
  const done = send().finally(() => producer.disconnect())
  // Told by `stop`, also where it comes before that is called.
  done.catch(() => undefined)
  return {
    sent: () => sent,
    usable: () => usable,
    done,
    stop: () => {
      isStopped = true
      return done
    },
  }
}
