import { z } from 'zod'

const name = z.string().trim().min(1)
/** A secret: itself, or the name of the environment variable that holds it. */
const secret = z.union([z.string().min(1), z.strictObject({ env: name })])

const login = { username: secret, password: secret }
const token = z.custom<() => Promise<string>>((value) => typeof value === 'function', 'expected a function')

const saslSchema = z.discriminatedUnion('mechanism', [
  z.strictObject({ mechanism: z.literal('plain'), ...login }),
  z.strictObject({ mechanism: z.literal('scram-sha-256'), ...login }),
  z.strictObject({ mechanism: z.literal('scram-sha-512'), ...login }),
  /** Called for a token whenever one is needed. */
  z.strictObject({ mechanism: z.literal('oauthbearer'), token }),
])

const tlsSchema = z.union([
  z.boolean(),
  z.strictObject({
    /** PEM file of the authorities to trust. */
    caFile: name.optional(),
    /** PEM files that identify this client (mTLS). */
    certFile: name.optional(),
    keyFile: name.optional(),
    passphrase: secret.optional(),
    serverName: name.optional(),
  }),
])

/** A topic's name. */
export const topicName = z.string().regex(/^[a-zA-Z0-9._-]{1,249}$/, "expected a topic's name: letters, digits, `.`, `_` and `-`")

/** Fields of a zod object: how to reach a cluster. */
export const connectionFields = {
  brokers: z.array(z.string().regex(/^[^\s:/@]+:\d{1,5}$|^\[[0-9a-fA-F:]+\]:\d{1,5}$/, 'expected host:port')).min(1),
  clientId: name.optional(),
  tls: tlsSchema.optional(),
  sasl: saslSchema.optional(),
  connectTimeoutMs: z.int().min(1).optional(),
  requestTimeoutMs: z.int().min(1).optional(),
}

/** A secret, or the name of the environment variable that holds it. */
export type Secret = string | { readonly env: string }

/** How to reach a Kafka cluster. */
export interface KafkaConnection {
  /** Where to begin: `host:port`, at least one. */
  readonly brokers: readonly string[]
  /** Name for the brokers' logs. @default 'tinyllava-stream' */
  readonly clientId?: string
  /** @default no TLS */
  readonly tls?:
    | boolean
    | {
        /** PEM file of the authorities to trust. @default those of Node */
        readonly caFile?: string
        /** PEM file of this client's certificate (mTLS). */
        readonly certFile?: string
        /** PEM file of its key. */
        readonly keyFile?: string
        readonly passphrase?: Secret
        /** Name to expect in the broker's certificate. @default the host's */
        readonly serverName?: string
      }
  /** @default no login */
  readonly sasl?:
    | { readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'; readonly username: Secret; readonly password: Secret }
    | { readonly mechanism: 'oauthbearer'; readonly token: () => Promise<string> }
  /** @default 5_000 */
  readonly connectTimeoutMs?: number
  /** How long a broker may take to answer. @default 30_000 */
  readonly requestTimeoutMs?: number
}

/** Names a cluster by its brokers, in whatever order they are given. */
export function clusterOf({ brokers }: Pick<KafkaConnection, 'brokers'>): string {
  return [...brokers].sort().join(',')
}
