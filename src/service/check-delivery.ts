import { StreamError } from '../errors.js'
import type { Source } from '../sources/source.js'
import type { Pipeline } from './define-pipeline.js'

/** Says of a pipeline's sources whether they can keep what `delivery` promises; throws `PIPELINE_INVALID`. */
export function checkDelivery({ name, delivery, sinks = [] }: Pipeline): (source: Source) => void {
  if (delivery !== 'exactly-once') return () => undefined
  const clusters = new Set(sinks.flatMap(({ cluster }) => cluster ?? []))
  return ({ id, cluster }) => {
    if (cluster !== undefined && clusters.has(cluster)) return
    const reason = cluster === undefined ? 'is none that can be read again' : 'and no sink are of one cluster'
    throw new StreamError(
      'PIPELINE_INVALID',
      `${name}: \`delivery: 'exactly-once'\` goes from Kafka to Kafka: the source "${id}" ${reason}. ` +
        "Give `kafkaSource` and `kafkaSink` the same brokers, or take 'at-least-once'.",
    )
  }
}
