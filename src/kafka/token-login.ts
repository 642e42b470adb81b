import type { Mechanism, SaslAuthenticationResponse } from 'kafkajs'
import { z } from 'zod'

import { StreamError } from '../errors.js'

/** What separates the parts of a message (RFC 7628). */
const SEPARATOR = '\u0001'

/** What a broker says of a token that it doesn't take; the rest of it is for other clients. */
const refusalSchema = z.object({ status: z.string().regex(/^\w{1,40}$/) })

/**
 * OAUTHBEARER. The client's own takes every answer of a broker for a yes, and a refused token for a connection that
 * breaks again and again.
 *
 * @param token Called for a token whenever one is needed.
 */
export function tokenLogin(token: () => Promise<string>): Mechanism {
  return {
    mechanism: 'oauthbearer',
    authenticationProvider: ({ saslAuthenticate }) => ({
      authenticate: async () => {
        const message = Buffer.from(`n,,${SEPARATOR}auth=Bearer ${await token()}${SEPARATOR}${SEPARATOR}`)
        await saslAuthenticate({ request: { encode: () => withLength(message) }, response })
      },
    }),
  }
}

/** A broker that takes a token says nothing; one that doesn't says why. */
const response: SaslAuthenticationResponse<void> = {
  decode: (bytes) => bytes.subarray(4),
  parse: (answer) => {
    if (answer.length === 0) return
    const message = `The brokers refused the token: ${reasonOf(answer)}. Check \`sasl.token\`.`
    // The client reads `retriable`, and would try for a while.
    throw Object.assign(new StreamError('KAFKA_UNAUTHORIZED', message), { retriable: false })
  },
}

function reasonOf(answer: Buffer): string {
  try {
    return refusalSchema.parse(JSON.parse(answer.toString())).status
  } catch {
    return 'no reason was given'
  }
}

function withLength(message: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeInt32BE(message.length)
  return Buffer.concat([length, message])
}
