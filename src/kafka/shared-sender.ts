import { isDeepStrictEqual } from 'node:util'

import type { KafkaConnection } from './connection-settings.js'
import { createClient } from './connection.js'
import { createRecordSender } from './record-sender.js'
import type { RecordSender } from './record-sender.js'

/** Somebody's share of a sender. */
export interface SenderLease {
  readonly sender: Pick<RecordSender, 'send'>
  /** Gives the share back; the last one closes the sender. Called once. */
  release(): void
}

interface SharedSender {
  readonly topic: string
  readonly connection: KafkaConnection
  readonly sender: RecordSender
  users: number
}

/** The senders of this process that somebody uses. */
const inUse = new Set<SharedSender>()

/**
 * Shares a sender with everybody in this process who sends to the same topic with the same settings: as many
 * streams as there are, one connection.
 *
 * @throws {StreamError} `SETTING_INVALID`: a secret or a file isn't there.
 */
export function borrowSender(topic: string, connection: KafkaConnection): SenderLease {
  const shared = findSender(topic, connection) ?? addSender(topic, connection)
  shared.users += 1
  return {
    sender: shared.sender,
    release: () => {
      shared.users -= 1
      if (shared.users > 0) return
      inUse.delete(shared)
      // It never rejects, and nobody is left to wait for it.
      void shared.sender.close()
    },
  }
}

function findSender(topic: string, connection: KafkaConnection): SharedSender | undefined {
  // A function (a token's) is equal only to itself.
  return [...inUse].find((shared) => shared.topic === topic && isDeepStrictEqual(shared.connection, connection))
}

function addSender(topic: string, connection: KafkaConnection): SharedSender {
  const shared: SharedSender = { topic, connection, sender: createRecordSender(createClient(connection)), users: 0 }
  inUse.add(shared)
  return shared
}
