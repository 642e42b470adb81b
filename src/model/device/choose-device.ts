import { StreamError } from '../../errors.js'
import { CPU, type Device, type DeviceChoice, type GpuKind, gpuDevice } from './device.js'
import { mayHaveGpu } from './device-files.js'
import { type Probe, probeDevice } from './probe.js'

/** What is looked at to choose; each part can be replaced in tests. */
export interface DeviceSearch {
  /** Whether the machine may have a GPU at all: a look at it is quick, a probe takes half a second. */
  readonly mayHaveGpu: () => boolean
  readonly probe: (kind: GpuKind) => Promise<Probe>
}

/** Fastest first. */
const GPU_KINDS: readonly GpuKind[] = ['cuda', 'webgpu']

/**
 * Finds what a model is to run on.
 *
 * `auto` takes a real GPU or the processor, and never fails: `cuda` where its provider and its libraries load and run,
 * else `webgpu`. A software adapter is only taken by its name.
 *
 * @throws {StreamError} `DEVICE_UNAVAILABLE`: a device that was named doesn't work here.
 */
export async function chooseDevice(
  choice: DeviceChoice,
  search: DeviceSearch = { mayHaveGpu, probe: probeDevice },
): Promise<Device> {
  if (choice === 'cpu') return CPU
  if (choice === 'auto') return search.mayHaveGpu() ? fastest(search) : CPU
  const found = await search.probe(choice)
  if (found.isThere) return gpuDevice(choice, found.isSoftware)
  throw new StreamError('DEVICE_UNAVAILABLE', unavailable(choice, found))
}

async function fastest({ probe }: DeviceSearch): Promise<Device> {
  for (const kind of GPU_KINDS) {
    const found = await probe(kind)
    if (found.isThere && !found.isSoftware) return gpuDevice(kind, false)
  }
  return CPU
}

function unavailable(kind: GpuKind, { reason, command }: Extract<Probe, { isThere: false }>): string {
  const advice = command === undefined ? 'See docs/GPU.md.' : `What would add it: ${command}`
  return `The device \`${kind}\` can't be used: ${reason} ${advice}`
}
