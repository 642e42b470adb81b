import { createRequire } from 'node:module'

import type { Cluster } from 'kafkajs'

/** A place that was to be read, but isn't there. */
export interface OffsetGap {
  readonly topic: string
  readonly partition: number
  /** The offset that was to be read next. */
  readonly expected: number
  /**
   * The partition's first offset, where reading goes on. Above `expected`: records were deleted before they were read.
   * Below: the partition lost its end, or is another one of the same name.
   */
  readonly found: number
}

interface Place {
  readonly topic: string
  readonly partition: number
}

/** What the client keeps of the places of a consumer. */
interface OffsetManager {
  readonly cluster: Cluster
  nextOffset(topic: string, partition: number): { toString(): string }
  seek(place: Place & { readonly offset: string }): Promise<void>
  setDefaultOffset: (this: OffsetManager, place: Place) => Promise<void>
}

type OnGap = (gap: OffsetGap) => void

/** Who is told, by the consumer's own view of the cluster. */
const told = new WeakMap<Cluster, OnGap>()
let isMended = false

/**
 * Tells where a consumer without auto-commit has to go on because its place isn't there any more.
 *
 * The client (2.2.4) says nothing then, and commits -2 as the group's offset beside any transaction. Consumers that
 * nobody has registered here keep that way.
 */
export function onOffsetReset(cluster: Cluster, onGap: OnGap): void {
  told.set(cluster, onGap)
  mendOffsetReset()
}

function mendOffsetReset(): void {
  if (isMended) return
  isMended = true
  const path = 'kafkajs/src/consumer/offsetManager/index.js'
  const { prototype } = createRequire(import.meta.url)(path) as { prototype: OffsetManager }
  const { setDefaultOffset } = prototype
  prototype.setDefaultOffset = async function (place) {
    const onGap = told.get(this.cluster)
    if (onGap === undefined) await setDefaultOffset.call(this, place)
    else await goToBegin(this, place, onGap)
  }
}

/** Without auto-commit `seek` only notes the place. */
async function goToBegin(offsets: OffsetManager, { topic, partition }: Place, onGap: OnGap): Promise<void> {
  const expected = Number(offsets.nextOffset(topic, partition).toString())
  const [answer] = await offsets.cluster.fetchTopicsOffset([{ topic, partitions: [{ partition }], fromBeginning: true }])
  const offset = answer?.partitions[0]?.offset ?? '0'
  await offsets.seek({ topic, partition, offset })
  onGap({ topic, partition, expected, found: Number(offset) })
}
