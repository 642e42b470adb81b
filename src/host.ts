import { createHash } from 'node:crypto'
import { hostname } from 'node:os'

/** This machine, or this container, as it is named in files. Process ids mean something on it alone. */
export const HOST = createHash('sha256').update(hostname()).digest('hex').slice(0, 8)

/** Whether a process of this machine is alive, whoever it belongs to. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

/**
 * Whether something that bears this process's id is not its own, by the time it was last touched (in milliseconds since
 * 1970): in a container the process has the same id after each restart.
 */
export function isOfEarlierProcess(touchedMs: number): boolean {
  return touchedMs < Date.now() - process.uptime() * 1000 - 1000
}
