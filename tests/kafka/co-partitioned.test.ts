import fc from 'fast-check'
import kafkajs from 'kafkajs'
import type { Assignment, Cluster, GroupMember } from 'kafkajs'
import { describe, expect, test } from 'vitest'

import { coPartitioned, shareOut } from '../../src/kafka/co-partitioned.js'
import type { Member } from '../../src/kafka/co-partitioned.js'

const { AssignerProtocol } = kafkajs

/** Partitions, and members of which some claim partitions: others' too, and ones that are gone. */
const groups = fc
  .record({ partitions: fc.integer({ min: 0, max: 30 }), claims: fc.array(fc.uniqueArray(fc.integer({ min: 0, max: 40 })), { minLength: 1, maxLength: 8 }) })
  .map(({ partitions, claims }) => ({
    partitions: Array.from({ length: partitions }, (_, partition) => partition),
    members: claims.map((owned, place): Member => ({ id: `member-${place}`, owned })),
  }))

describe('shareOut', () => {
  test('gives each partition to exactly one member, and shares that differ by one at most', () => {
    fc.assert(
      fc.property(groups, ({ partitions, members }) => {
        const shares = [...shareOut(partitions, members).values()]
        expect(shares).toHaveLength(members.length)
        expect(shares.flat().sort((a, b) => a - b)).toEqual(partitions)
        const sizes = shares.map(({ length }) => length)
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
      }),
    )
  })

  test('comes to the same in whatever order the members are told', () => {
    fc.assert(
      fc.property(groups, fc.integer(), ({ partitions, members }, seed) => {
        const shuffled = members.toSorted((a, b) => hash(a.id, seed) - hash(b.id, seed))
        expect(shareOut(partitions, shuffled)).toEqual(shareOut(partitions, members))
      }),
    )
  })

  test('moves nothing where nobody came or went', () => {
    fc.assert(
      fc.property(groups, ({ partitions, members }) => {
        const before = shareOut(partitions, members)
        const after = shareOut(partitions, members.map(({ id }) => ({ id, owned: before.get(id) ?? [] })))
        expect(after).toEqual(before)
      }),
    )
  })

  test('moves only what a member who comes gets, and what one who goes leaves', () => {
    fc.assert(
      fc.property(groups, ({ partitions, members }) => {
        const before = shareOut(partitions, members)
        const stayed = members.map(({ id }) => ({ id, owned: before.get(id) ?? [] }))
        const joined = shareOut(partitions, [...stayed, { id: 'newcomer', owned: [] }])
        expect(lost(stayed, joined)).toBe(joined.get('newcomer')?.length)
        const left = stayed.slice(1)
        if (left.length > 0) expect(lost(left, shareOut(partitions, left))).toBe(0)
      }),
    )
  })
})

/** How many partitions members had and have no longer. */
function lost(before: readonly Member[], after: ReadonlyMap<string, readonly number[]>): number {
  return before.flatMap(({ id, owned }) => owned.filter((partition) => after.get(id)?.includes(partition) !== true)).length
}

function hash(text: string, seed: number): number {
  return Array.from(text).reduce((sum, letter) => Math.imul(sum ^ letter.charCodeAt(0), 16_777_619), seed)
}

describe('coPartitioned', () => {
  const cluster = {
    findTopicPartitionMetadata: (topic: string) => (topic === 'frames' ? [2, 0, 1].map((partitionId) => ({ partitionId })) : []),
  } as unknown as Cluster
  const assignerOf = (owned: readonly number[]) =>
    coPartitioned({ topic: 'frames', stateTopic: 'state' }, () => owned)({ cluster, groupId: 'group', logger: undefined as never })

  test('gives the same partitions of both topics, and tells of what a member has', async () => {
    const members: GroupMember[] = [
      { memberId: 'one', memberMetadata: assignerOf([]).protocol({ topics: ['frames', 'state'] }).metadata },
      { memberId: 'two', memberMetadata: assignerOf([1, 2]).protocol({ topics: ['frames', 'state'] }).metadata },
    ]
    const assigned = await assignerOf([]).assign({ members, topics: ['frames', 'state'] })
    const shares = Object.fromEntries(
      assigned.map(({ memberId, memberAssignment }) => [memberId, AssignerProtocol.MemberAssignment.decode(memberAssignment)?.assignment]),
    )
    const both = (share: number[]): Assignment => ({ frames: share, state: share })
    expect(shares).toEqual({ one: both([0]), two: both([1, 2]) })
  })

  test('members of other topics can’t be in one group: they have another protocol', () => {
    const nameOf = (topic: string, stateTopic: string) => {
      const assigner = coPartitioned({ topic, stateTopic }, () => [])({ cluster, groupId: 'group', logger: undefined as never })
      expect(assigner.protocol({ topics: [topic, stateTopic] }).name).toBe(assigner.name)
      return assigner.name
    }
    expect(nameOf('frames', 'state')).toBe(nameOf('frames', 'state'))
    expect(new Set([nameOf('frames', 'state'), nameOf('clips', 'state'), nameOf('frames', 'states')]).size).toBe(3)
  })
})
