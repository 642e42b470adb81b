import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the run's one broker lives, once a test has asked for it. */
    kafka: { folder: string; owner: number }
  }
}

/**
 * vitest's globalSetup: names the folder of the run's one broker and ends that broker after the run. The first test that
 * asks starts it (`kafka.ts`), so a run without Kafka never waits for one. Where the teardown doesn't get to run, the
 * broker notices that this process is gone (KAFKA_OWNER) and ends too.
 */
export default function setup(project: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'kafka-tests-'))
  project.provide('kafka', { folder, owner: process.pid })
  return () => {
    if (existsSync(join(folder, 'pid'))) execFileSync('scripts/kafka.sh', ['kill', folder], { stdio: 'inherit' })
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}
