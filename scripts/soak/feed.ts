import { Kafka, logLevel } from 'kafkajs'
import sharp from 'sharp'

/** Sends frames of several keys to a topic, until it is stopped; waits where the broker is away. */
export interface Feed {
  readonly sent: () => number
  readonly stop: () => Promise<void>
}

/** Makes the topic and starts to send. */
export async function startFeed(brokers: string, { topic, keys, everyMs }: { topic: string; keys: readonly string[]; everyMs: number }): Promise<Feed> {
  const kafka = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING, retry: { retries: 60, maxRetryTime: 1000 } })
  const admin = kafka.admin()
  await admin.connect()
  await admin.createTopics({ waitForLeaders: true, topics: [topic, 'answers', 'dead'].map((name) => ({ topic: name, numPartitions: 4 })) })
  await admin.disconnect()

  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  const value = await sharp({ create: { width: 16, height: 16, channels: 3, background: '#804020' } }).jpeg().toBuffer()
  let sent = 0
  let isStopped = false
  const send = async (): Promise<void> => {
    for (let second = 0; !isStopped; second += 1) {
      const messages = keys.map((key, place) => ({
        key,
        // Now and then one that can't be used.
        value: (second + place) % 97 === 96 ? Buffer.from('no picture') : value,
        headers: { 'content-type': 'image/jpeg', 'pts-ms': String(second * 1000) },
      }))
      const isSent = await producer.send({ topic, messages, acks: -1 }).then(
        () => true,
        () => false,
      )
      if (isSent) sent += messages.length
      await new Promise((resolve) => setTimeout(resolve, everyMs))
    }
  }
  const sending = send()
  return {
    sent: () => sent,
    stop: async () => {
      isStopped = true
      await sending
      await producer.disconnect()
    },
  }
}
