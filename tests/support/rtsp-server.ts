import { execFile, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { vi } from 'vitest'

import { describeOrSkip } from './describe-or-skip.js'

const script = 'scripts/rtsp-server.sh'

/**
 * Like `describe`, for tests that need an RTSP server. Where there is none it skips them, with the reason in the
 * name; with CI_NO_SKIP=1 it throws instead.
 */
export function describeWithRtsp(name: string, body: () => void): void {
  const check = spawnSync(script, ['check'], { encoding: 'utf8' })
  const why = (): string => check.error?.message ?? check.stderr.trim().replace(/^rtsp-server: /, '')
  describeOrSkip(name, check.status === 0 ? undefined : why(), body)
}

/** What a mount plays, over and over, as it is. */
export interface Mounted {
  readonly codec: 'h264' | 'h265' | 'aac'
  readonly clip: string
}

/** What a server is started with. */
export interface RtspServerOptions {
  /** By path, e.g. `/door`. */
  readonly mounts: Readonly<Record<string, Mounted>>
  /** Whom it lets in; left out: everybody. */
  readonly login?: { readonly user: string; readonly password: string }
}

/** A real RTSP server of the test's own. */
export interface RtspServer {
  readonly port: number
  /** The address of a mount, without a login. */
  address(path: string): string
  /** kill -9; resolves once it is gone. */
  kill(): Promise<void>
  /** Stops it in its tracks (SIGSTOP): connections stay open and nothing comes. */
  hang(): void
  /** Lets it go on. */
  goOn(): void
  /** Starts it again on the same port. */
  restart(): Promise<void>
  /** Plays other clips; cuts off everybody who looks. */
  mount(mounts: Readonly<Record<string, Mounted>>): void
  /** Ends it for good. */
  stop(): Promise<void>
}

/** Starts a server on a free port. It is no child of this process, so that the decoders are the only ones. */
export async function startRtspServer({ mounts, login }: RtspServerOptions): Promise<RtspServer> {
  const folder = mkdtempSync(join(tmpdir(), 'rtsp-server-'))
  writeMounts(folder, mounts)
  const loginOptions = login === undefined ? [] : ['--user', login.user, '--password', login.password]
  let { port, pid } = await start(folder, loginOptions)
  const kill = async (): Promise<void> => {
    if (isRunning(pid)) process.kill(pid, 'SIGKILL')
    await vi.waitUntil(() => !isRunning(pid), { timeout: 60_000, interval: 5 })
  }
  return {
    port,
    address: (path) => `rtsp://127.0.0.1:${port}${path}`,
    kill,
    hang: () => {
      process.kill(pid, 'SIGSTOP')
    },
    goOn: () => {
      process.kill(pid, 'SIGCONT')
    },
    restart: async () => {
      await kill()
      ;({ port, pid } = await start(folder, ['--port', String(port), ...loginOptions]))
    },
    mount: (changed) => {
      writeMounts(folder, changed)
      process.kill(pid, 'SIGHUP')
    },
    stop: async () => {
      await kill()
      rmSync(folder, { recursive: true })
    },
  }
}

function writeMounts(folder: string, mounts: RtspServerOptions['mounts']): void {
  const lines = Object.entries(mounts).map(([path, { codec, clip }]) => `${path} ${codec} ${clip}\n`)
  writeFileSync(join(folder, 'mounts'), lines.join(''))
}

async function start(folder: string, options: readonly string[]): Promise<{ port: number; pid: number }> {
  const env = { ...process.env, RTSP_OWNER: String(process.pid) }
  const { stdout } = await promisify(execFile)(script, ['start', folder, ...options], { env })
  const [port, pid] = ['PORT', 'PID'].map((name) => Number(new RegExp(`^RTSP_${name}=(\\d+)$`, 'm').exec(stdout)?.[1]))
  if (port === undefined || pid === undefined) throw new Error(`${script} start printed ${stdout}`)
  return { port, pid }
}

/** Whether a process runs: one that is gone and not collected yet does not. */
function isRunning(pid: number): boolean {
  const status = `/proc/${pid}/status`
  try {
    return existsSync(status) && !/^State:\tZ/m.test(readFileSync(status, 'utf8'))
  } catch {
    // It ended between the two looks.
    return false
  }
}
