import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** A real server that can be killed and started again. */
export interface Server {
  /** host:port, the same after a restart. */
  readonly address: string
  /** kill -9, then a start with the same port and data. */
  readonly crash: () => Promise<void>
  readonly stop: () => Promise<void>
}

const owner = String(process.pid)

/** A broker of Apache Kafka. */
export async function startBroker(): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), 'soak-kafka-'))
  const start = async (): Promise<string> => {
    const { stdout } = await run('scripts/kafka.sh', ['start', folder], { env: { ...process.env, KAFKA_OWNER: owner } })
    return /^KAFKA_BROKERS=(.+)$/m.exec(stdout)?.[1] ?? ''
  }
  return {
    address: await start(),
    crash: async () => {
      await run('scripts/kafka.sh', ['kill', folder])
      await start()
    },
    stop: async () => {
      await run('scripts/kafka.sh', ['kill', folder])
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** An RTSP server with cameras that show a moving test picture. */
export async function startCameras(names: readonly string[]): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), 'soak-rtsp-'))
  const clip = join(folder, 'clip.ts')
  const picture = ['-f', 'lavfi', '-i', 'testsrc=size=160x120:rate=10:duration=10', '-pix_fmt', 'yuv420p']
  await run('ffmpeg', ['-loglevel', 'error', ...picture, '-c:v', 'libx264', '-g', '10', '-bf', '0', clip])
  writeFileSync(join(folder, 'mounts'), names.map((name) => `/${name} h264 ${clip}\n`).join(''))
  const start = async (options: readonly string[]): Promise<{ port: number; pid: number }> => {
    const { stdout } = await run('scripts/rtsp-server.sh', ['start', folder, ...options], {
      env: { ...process.env, RTSP_OWNER: owner },
    })
    const [port, pid] = ['PORT', 'PID'].map((name) => Number(new RegExp(`^RTSP_${name}=(\\d+)$`, 'm').exec(stdout)?.[1]))
    return { port: port ?? 0, pid: pid ?? 0 }
  }
  let { port, pid } = await start([])
  return {
    address: `127.0.0.1:${port}`,
    crash: async () => {
      process.kill(pid, 'SIGKILL')
      ;({ port, pid } = await start(['--port', String(port)]))
    },
    stop: () => {
      process.kill(pid, 'SIGKILL')
      rmSync(folder, { recursive: true, force: true })
      return Promise.resolve()
    },
  }
}
