import { readFileSync, readdirSync } from 'node:fs'

/** A child process of this one, as Linux tells it. */
export interface ChildProcess {
  readonly pid: number
  /** `R` running, `S` sleeping, `Z` gone but not collected, … */
  readonly state: string
  /** Ticks of processor time used so far. */
  readonly ticks: number
}

/**
 * Whether a process waits: it used no processor time since the last look, and doesn't want any. On a loaded
 * machine equal ticks alone may only mean that it had no turn.
 */
export function isStill(child: ChildProcess | undefined, { ticksBefore }: { ticksBefore: number }): boolean {
  return child?.state === 'S' && child.ticks > 0 && child.ticks === ticksBefore
}

/** The children of a process, zombies included; of this one unless another is named. */
export function childProcesses(parent = process.pid): ChildProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => statOf(Number(name)))
    .filter((child) => child?.parent === parent)
    .map((child) => child as ChildProcess)
}

/** The words of a process's command line; empty where it is gone. */
export function commandOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1)
  } catch {
    return []
  }
}

function statOf(pid: number): (ChildProcess & { parent: number }) | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name before it can hold anything, also blanks and brackets.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    const ticks = Number(fields[11]) + Number(fields[12])
    return { pid, state: fields[0] ?? '', parent: Number(fields[1]), ticks }
  } catch {
    // It ended between the listing and the look at it.
    return undefined
  }
}
