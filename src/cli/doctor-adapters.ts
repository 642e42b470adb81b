import { outputOf } from './doctor-output.js'

/** A GPU, or a program that stands in for one, as a tool of its driver names it. */
export interface Adapter {
  readonly name: string
  readonly driver: string
  /** The interface that knows it. */
  readonly by: 'vulkan' | 'cuda'
}

/** Names the adapters, where `vulkaninfo` and `nvidia-smi` are installed to tell; else there are none. */
export async function listAdapters(run = outputOf): Promise<readonly Adapter[]> {
  const [vulkan, nvidia] = await Promise.all([
    run('vulkaninfo', ['--summary']),
    run('nvidia-smi', ['--query-gpu=name,memory.total,driver_version', '--format=csv,noheader']),
  ])
  return [...vulkanAdapters(vulkan ?? ''), ...nvidiaAdapters(nvidia ?? '')]
}

/** From `vulkaninfo --summary`: a heading a device, and below it `name = value`, a line each. */
export function vulkanAdapters(text: string): readonly Adapter[] {
  const [, ...devices] = text.split(/^GPU\d+:$/m)
  return devices.map((device) => {
    const value = (name: string): string => new RegExp(`^\\s*${name}\\s*= (.*)$`, 'm').exec(device)?.[1]?.trim() ?? ''
    return { name: value('deviceName'), driver: value('driverInfo') || value('driverName'), by: 'vulkan' }
  })
}

/** From `nvidia-smi`: name, memory and driver, a GPU a line. */
export function nvidiaAdapters(text: string): readonly Adapter[] {
  return text.split('\n').flatMap((line) => {
    const [name, memory, driver] = line.split(',').map((part) => part.trim())
    return name && memory && driver ? [{ name: `${name}, ${memory}`, driver: `NVIDIA ${driver}`, by: 'cuda' as const }] : []
  })
}
