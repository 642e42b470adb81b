import { existsSync } from 'node:fs'
import type { DeviceKind } from './device.js'
import { mayHaveGpu, showsNvidia } from './device-files.js'
import { PROVIDER_FILE, cudaInstaller, providerFolder } from './runtime-files.js'
import { type Trouble, explainCpu, explainCuda, explainWebGpu } from './explain.js'
import type { ProbeReport } from './probe-child.js'
import { type ProbeOutcome, runProbe } from './run-probe.js'

/** Whether a device works here. */
export type Probe =
  | {
      readonly isThere: true
      /** Whether a program stands in for a GPU. */
      readonly isSoftware: boolean
      /** Names of the drivers' files that were loaded; none where they can't be told. */
      readonly drivers: readonly string[]
    }
  | ({ readonly isThere: false } & Trouble)

const probes = new Map<DeviceKind, Promise<Probe>>()

const PROBES: Readonly<Record<DeviceKind, () => Promise<Probe>>> = { cpu: probeCpu, webgpu: probeWebGpu, cuda: probeCuda }

/** Finds out whether a device works, by running a tiny graph on it in a process of its own; once for each process. */
export function probeDevice(kind: DeviceKind): Promise<Probe> {
  const probe = probes.get(kind) ?? PROBES[kind]()
  probes.set(kind, probe)
  return probe
}

async function probeCpu(): Promise<Probe> {
  const outcome = await runProbe('cpu')
  return outcome.report.isRight
    ? { isThere: true, isSoftware: false, drivers: [] }
    : { isThere: false, ...explainCpu(textOf(outcome)) }
}

async function probeCuda(): Promise<Probe> {
  const folder = providerFolder()
  if (folder === undefined) {
    return { isThere: false, reason: 'ONNX Runtime has CUDA for Node on Linux on x64 only.' }
  }
  if (!existsSync(`${folder}/${PROVIDER_FILE}`)) {
    return { isThere: false, reason: "ONNX Runtime's CUDA provider isn't installed.", command: cudaInstaller() }
  }
  const outcome = await runProbe('cuda')
  return outcome.report.isRight ? found(outcome.report) : { isThere: false, ...explainCuda(textOf(outcome), showsNvidia()) }
}

/** Names of the files that describe drivers without a GPU, as the Vulkan loader takes them. */
const SOFTWARE_MANIFESTS = '*lvp*,*swrast*,*swiftshader*'

/** Without the software drivers first: what works then is a real GPU. */
async function probeWebGpu(): Promise<Probe> {
  const disabled = [process.env.VK_LOADER_DRIVERS_DISABLE, SOFTWARE_MANIFESTS].filter(Boolean).join(',')
  const real = await runProbe('webgpu', { environment: { VK_LOADER_DRIVERS_DISABLE: disabled } })
  if (real.report.isRight) return found(real.report)
  const any = await runProbe('webgpu')
  return any.report.isRight ? found(any.report) : { isThere: false, ...explainWebGpu(textOf(any), mayHaveGpu()) }
}

function found({ drivers, hasGpuOpen }: Extract<ProbeReport, { isRight: true }>): Probe {
  // A Vulkan loader before 1.3.234 doesn't know how to leave drivers out: then an open GPU tells.
  return { isThere: true, isSoftware: !hasGpuOpen && drivers.some(isSoftwareDriver), drivers }
}

/** Mesa's lavapipe (swrast in early versions) and SwiftShader. */
function isSoftwareDriver(file: string): boolean {
  return /lvp|swrast|swiftshader/.test(file)
}

function textOf({ report, output }: ProbeOutcome): string {
  return report.isRight ? output : `${report.message}\n${output}`
}
