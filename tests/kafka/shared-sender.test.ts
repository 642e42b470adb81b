import { expect, test } from 'vitest'

import { borrowSender } from '../../src/kafka/shared-sender.js'

const connection = { brokers: ['127.0.0.1:1'] }
const token = (): Promise<string> => Promise.resolve('token')

test('equal settings and topic share a sender until the last of them lets go', () => {
  const first = borrowSender('frames', connection)
  const second = borrowSender('frames', { brokers: ['127.0.0.1:1'] })
  expect(second.sender).toBe(first.sender)
  first.release()
  const third = borrowSender('frames', connection)
  expect(third.sender).toBe(second.sender)
  second.release()
  third.release()
  const later = borrowSender('frames', connection)
  expect(later.sender).not.toBe(first.sender)
  later.release()
})

test('another topic, other settings or another function for tokens have their own', () => {
  const sasl = { mechanism: 'oauthbearer' as const, token }
  const leases = [
    borrowSender('frames', connection),
    borrowSender('others', connection),
    borrowSender('frames', { ...connection, clientId: 'other' }),
    borrowSender('frames', { ...connection, sasl }),
    borrowSender('frames', { ...connection, sasl: { ...sasl, token: () => token() } }),
  ]
  const same = borrowSender('frames', { ...connection, sasl: { ...sasl } })
  expect(new Set(leases.map(({ sender }) => sender)).size).toBe(leases.length)
  expect(same.sender).toBe(leases[3]?.sender)
  for (const lease of [...leases, same]) lease.release()
})

test('a secret that isn’t there is told at once, and nothing is kept', () => {
  const sasl = { mechanism: 'plain' as const, username: 'user', password: { env: 'TINYLLAVA_NO_SUCH_VARIABLE' } }
  for (let attempt = 0; attempt < 2; attempt += 1) {
    expect(() => borrowSender('frames', { ...connection, sasl })).toThrow(expect.objectContaining({ code: 'SETTING_INVALID' }))
  }
})
