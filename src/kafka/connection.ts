import { readFileSync } from 'node:fs'

import { Kafka, logLevel } from 'kafkajs'
import type { KafkaConfig, Mechanism, SASLOptions } from 'kafkajs'

import { StreamError } from '../errors.js'
import { mendReadCommitted } from './aborted-transactions.js'
import { ClientSockets } from './client-sockets.js'
import { registerCodecs } from './compression.js'
import type { KafkaConnection, Secret } from './connection-settings.js'
import { tokenLogin } from './token-login.js'

/**
 * Makes a client. Nothing is connected yet; secrets are read from the environment and files now.
 *
 * @throws {StreamError} `SETTING_INVALID`: a variable or a file isn't there.
 */
export function createClient(connection: KafkaConnection): Kafka {
  const { brokers, clientId = 'tinyllava-stream', tls, sasl, connectTimeoutMs = 5_000, requestTimeoutMs = 30_000 } = connection
  const sockets = new ClientSockets()
  const config: KafkaConfig = {
    ...{ brokers: [...brokers], clientId, connectionTimeout: connectTimeoutMs, requestTimeout: requestTimeoutMs, socketFactory: sockets.factory },
    // What matters is told by errors and notices; the client's own log would name each retry.
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 100, maxRetryTime: 2_000, retries: 8 },
  }
  if (tls !== undefined && tls !== false) config.ssl = tls === true ? true : tlsOptions(tls)
  if (sasl !== undefined) config.sasl = saslOptions(sasl)
  registerCodecs()
  mendReadCommitted()
  const kafka = new Kafka(config)
  sockets.belongTo(kafka)
  return kafka
}

function tlsOptions(tls: Exclude<KafkaConnection['tls'], boolean | undefined>): NonNullable<KafkaConfig['ssl']> {
  const { caFile, certFile, keyFile, passphrase, serverName } = tls
  return {
    ...(caFile === undefined ? {} : { ca: [readSetting('tls.caFile', caFile)] }),
    ...(certFile === undefined ? {} : { cert: readSetting('tls.certFile', certFile) }),
    ...(keyFile === undefined ? {} : { key: readSetting('tls.keyFile', keyFile) }),
    ...(passphrase === undefined ? {} : { passphrase: reveal('tls.passphrase', passphrase) }),
    ...(serverName === undefined ? {} : { servername: serverName }),
  }
}

function saslOptions(sasl: NonNullable<KafkaConnection['sasl']>): SASLOptions | Mechanism {
  if (sasl.mechanism === 'oauthbearer') return tokenLogin(sasl.token)
  const login = { username: reveal('sasl.username', sasl.username), password: reveal('sasl.password', sasl.password) }
  if (sasl.mechanism === 'plain') return { mechanism: 'plain', ...login }
  return sasl.mechanism === 'scram-sha-256' ? { mechanism: 'scram-sha-256', ...login } : { mechanism: 'scram-sha-512', ...login }
}

function reveal(path: string, value: Secret): string {
  if (typeof value === 'string') return value
  const found = process.env[value.env]
  if (found !== undefined && found !== '') return found
  throw new StreamError('SETTING_INVALID', `\`${path}\`: the environment variable ${value.env} isn't set.`)
}

function readSetting(path: string, file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new StreamError('SETTING_INVALID', `\`${path}\`: ${file} can't be read.`, { cause })
  }
}
