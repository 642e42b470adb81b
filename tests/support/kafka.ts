import { execFile, spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { inject } from 'vitest'
import { describeOrSkip } from './describe-or-skip.js'
import './kafka-setup.js'

const script = 'scripts/kafka.sh'

/**
 * Like `describe`, for tests that need a broker. Without Java or Maven it skips them, with the reason in the name;
 * with CI_NO_SKIP=1 it throws instead.
 */
export function describeWithKafka(name: string, body: () => void): void {
  describeOrSkip(name, whyNot(), body)
}

function whyNot(): string | undefined {
  if (process.env.KAFKA_BROKERS) return undefined
  const check = spawnSync(script, ['check'], { encoding: 'utf8' })
  if (check.status === 0) return undefined
  return check.error?.message ?? check.stderr.trim().replace(/^kafka: /, '')
}

/** The broker all tests of a run share: KAFKA_BROKERS, or one that the first caller starts. Make topics of your own on it. */
export async function kafkaBroker(): Promise<string> {
  if (process.env.KAFKA_BROKERS) return process.env.KAFKA_BROKERS
  const { folder, owner } = inject('kafka')
  return start(folder, owner) // Locked by the script: of two callers, one starts it and both get it.
}

export interface PrivateBroker {
  /** host:port, the same after a restart. */
  readonly brokers: string
  /** kill -9. */
  kill(): Promise<void>
  /** Starts it again with the same data; ends it gently before if it runs. */
  restart(): Promise<void>
  /** Ends it and removes its data. */
  stop(): Promise<void>
}

/** Starts a broker of the test's own, which it may kill; `settings` are Kafka's, such as `message.max.bytes`. */
export async function startBroker(settings: Record<string, string | number> = {}): Promise<PrivateBroker> {
  const folder = await mkdtemp(join(tmpdir(), 'kafka-private-'))
  const brokers = await start(folder, process.pid, settings)
  return {
    brokers,
    kill: async () => {
      await run(['kill', folder])
    },
    restart: async () => {
      await run(['stop', folder])
      await start(folder, process.pid)
    },
    stop: async () => {
      await run(['kill', folder])
      await rm(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

async function start(folder: string, owner: number, settings: Record<string, string | number> = {}): Promise<string> {
  const lines = await run(['start', folder, ...Object.entries(settings).map(([name, value]) => `${name}=${value}`)], owner)
  const brokers = /^KAFKA_BROKERS=(.+)$/m.exec(lines)?.[1]
  if (brokers === undefined) throw new Error(`${script} start printed no address: ${lines}`)
  return brokers
}

async function run(args: string[], owner?: number): Promise<string> {
  const env = owner === undefined ? process.env : { ...process.env, KAFKA_OWNER: String(owner) }
  return (await promisify(execFile)(script, args, { env })).stdout
}
