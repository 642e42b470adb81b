import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

import type { DeliveryMode } from '../../src/delivery.js'
import { Changes } from '../../src/ledger-column.js'
import type { LedgerCounts } from '../../src/ledger-counts.js'
import type { KafkaSourceOptions } from '../../src/sources/kafka.js'
import type { SourceNotice } from '../../src/sources/source.js'
import type { Topics } from './harness.js'
import type { NumberedModelOptions } from './numbered-model.js'

/** What a worker process is told. */
export interface WorkerSettings {
  readonly brokers: string
  readonly topics: Topics
  readonly delivery: DeliveryMode
  readonly questions: readonly string[]
  readonly model?: NumberedModelOptions
  readonly source?: Partial<KafkaSourceOptions>
}

/** What a worker process tells. */
export type WorkerLine =
  /** It drains on SIGTERM from now on. */
  | { readonly kind: 'ready' }
  | { readonly kind: 'notice'; readonly notice: SourceNotice }
  | { readonly kind: 'stream'; readonly streamId: string }
  | { readonly kind: 'totals'; readonly totals: LedgerCounts }
  | { readonly kind: 'failure'; readonly reason: string }

/** A worker process. */
export interface Worker {
  readonly lines: readonly WorkerLine[]
  /** Resolves once a line was told; rejects if the process ends before. */
  whenTold: (isIt: (line: WorkerLine) => boolean) => Promise<void>
  signal: (name: NodeJS.Signals) => void
  /** kill -9. */
  kill: () => Promise<void>
  /** SIGTERM; resolves with the ledger's totals. Rejects unless the process exits with 0. */
  stop: () => Promise<LedgerCounts>
}

const jiti = join(dirname(createRequire(import.meta.url).resolve('jiti/package.json')), 'lib/jiti-cli.mjs')
const script = fileURLToPath(new URL('worker.ts', import.meta.url))

/** Starts a worker. It may be killed at any time. */
export function startWorker(settings: WorkerSettings): Worker {
  const child = spawn(process.execPath, [jiti, script, JSON.stringify(settings)], { stdio: ['ignore', 'pipe', 'pipe'] })
  const lines: WorkerLine[] = []
  const changes = new Changes()
  let complaints = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaints += text))
  createInterface(child.stdout).on('line', (line) => {
    lines.push(JSON.parse(line) as WorkerLine)
    changes.emit()
  })
  const isOver = (): boolean => child.exitCode !== null || child.signalCode !== null
  // `close` comes once its output was read, too.
  const closed = once(child, 'close').then(() => {
    changes.emit()
  })
  const problem = (): Error =>
    new Error(`Worker ${child.pid} ended with ${child.exitCode ?? child.signalCode}: ${JSON.stringify(lines.at(-1))} ${complaints}`)
  const whenTold = async (isIt: (line: WorkerLine) => boolean): Promise<void> => {
    await changes.when(() => lines.some(isIt) || isOver(), { what: 'a line', signal: undefined })
    if (!lines.some(isIt)) throw problem()
  }
  return {
    lines,
    whenTold,
    signal: (name) => child.kill(name),
    kill: async () => {
      child.kill('SIGKILL')
      await closed
    },
    stop: async () => {
      await whenTold(({ kind }) => kind === 'ready')
      child.kill('SIGTERM')
      await closed
      const totals = lines.find((line) => line.kind === 'totals')
      if (child.exitCode !== 0 || totals === undefined) throw problem()
      return totals.totals
    },
  }
}

/** Whether what is said of a ledger's numbers holds, and nothing is under way any more. */
export function isBalanced(counts: LedgerCounts): boolean {
  const { handedOut, encoded, forwarded, skipped, dropped, failed, framesInFlight } = counts
  const { asked, answered, questionsFailed, questionsInFlight } = counts
  const { results, delivered, deliveriesFailed, deliveriesInFlight } = counts
  const lost = Object.values(dropped).reduce((sum, count) => sum + count, 0)
  return (
    framesInFlight + questionsInFlight + deliveriesInFlight === 0 &&
    handedOut === encoded + forwarded + skipped + lost + failed &&
    asked === answered + questionsFailed &&
    results === delivered + deliveriesFailed
  )
}
