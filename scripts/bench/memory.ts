import { readFileSync } from 'node:fs'

/** Most memory this process has had at once since it began, mapped files included. Bytes. */
export function peakMemoryBytes(): number {
  // resourceUsage() of a child begins at its parent's size on Linux; the kernel's own figure doesn't.
  return kernelBytes('VmHWM') ?? process.resourceUsage().maxRSS * 1024
}

function kernelBytes(field: string): number | undefined {
  if (process.platform !== 'linux') return undefined
  const kilobytes = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(readFileSync('/proc/self/status', 'utf8'))?.[1]
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024
}
