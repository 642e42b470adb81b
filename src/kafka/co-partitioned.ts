import kafkajs from 'kafkajs'
import type { PartitionAssigner } from 'kafkajs'

const { AssignerProtocol } = kafkajs
const PROTOCOL = 'tinyllava-stream-1'

/** A member of a group, and the partitions it read so far. */
export interface Member {
  readonly id: string
  readonly owned: readonly number[]
}

/**
 * Shares partitions out: as evenly as it goes, each member keeping as many of its own as it may.
 *
 * A partition that moves costs its new reader the frames of its open windows.
 */
export function shareOut(partitions: readonly number[], members: readonly Member[]): ReadonlyMap<string, readonly number[]> {
  // Whoever has most keeps most; the ids decide between equals, so that every leader comes to the same.
  const inTurn = [...members].sort((a, b) => b.owned.length - a.owned.length || (a.id < b.id ? -1 : 1))
  const [least, extra] = [Math.floor(partitions.length / inTurn.length), partitions.length % inTurn.length]
  const free = new Set(partitions)
  const shares = inTurn.map(({ id, owned }, place) => {
    const quota = least + (place < extra ? 1 : 0)
    const kept = owned.filter((partition) => free.has(partition)).slice(0, quota)
    for (const partition of kept) free.delete(partition)
    return { id, quota, share: [...kept] }
  })
  const left = [...free]
  for (const { quota, share } of shares) share.push(...left.splice(0, quota - share.length))
  return new Map(shares.map(({ id, share }) => [id, share.sort((a, b) => a - b)]))
}

/**
 * Assigns each partition of a topic together with the same partition of its state topic.
 *
 * The topics are part of the protocol's name: brokers refuse a member of other topics, whose partitions the leader of
 * the group would share out to nobody.
 *
 * @param ownedNow The partitions that this member reads now.
 */
export function coPartitioned(
  { topic, stateTopic }: { readonly topic: string; readonly stateTopic: string },
  ownedNow: () => readonly number[],
): PartitionAssigner {
  const name = [PROTOCOL, topic, stateTopic].join(':')
  return ({ cluster }) => ({
    name,
    version: 1,
    protocol: ({ topics }) => ({
      name,
      metadata: AssignerProtocol.MemberMetadata.encode({
        version: 1,
        topics,
        userData: Buffer.from(JSON.stringify(ownedNow())),
      }),
    }),
    assign: ({ members }) => {
      const partitions = cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => partitionId)
      const shares = shareOut(
        partitions.sort((a, b) => a - b),
        members.map(({ memberId, memberMetadata }) => ({ id: memberId, owned: ownedOf(memberMetadata) })),
      )
      return Promise.resolve(
        [...shares].map(([memberId, share]) => ({
          memberId,
          memberAssignment: AssignerProtocol.MemberAssignment.encode({
            version: 1,
            assignment: { [topic]: [...share], [stateTopic]: [...share] },
            userData: Buffer.alloc(0),
          }),
        })),
      )
    },
  })
}

function ownedOf(metadata: Buffer): readonly number[] {
  const text = AssignerProtocol.MemberMetadata.decode(metadata)?.userData.toString() ?? ''
  return text === '' ? [] : (JSON.parse(text) as readonly number[])
}
