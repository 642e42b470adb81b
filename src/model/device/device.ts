/** What can be asked for; `auto` is the fastest of what is there. */
export const DEVICE_CHOICES = ['auto', 'cpu', 'webgpu', 'cuda'] as const

/** What can be asked for: see `DEVICE_CHOICES`. */
export type DeviceChoice = (typeof DEVICE_CHOICES)[number]

/** What a model can run on, by the name of ONNX Runtime's provider. */
export type DeviceKind = Exclude<DeviceChoice, 'auto'>

/** What has to be looked for: a processor is always there. */
export type GpuKind = Exclude<DeviceKind, 'cpu'>

/** What a model runs on. */
export interface Device {
  readonly kind: DeviceKind
  /** Whether it is a program that stands in for a GPU: slower than `cpu`, and with limits of its own. */
  readonly isSoftware: boolean
  /** Most positions of one run of the decoder; left out: no limit. */
  readonly maxPrefillChunk?: number
}

/** The processor. */
export const CPU: Device = { kind: 'cpu', isSoftware: false }

/**
 * Fused attention gives wrong values on software adapters from 32 query positions on (ONNX Runtime 1.30); this is the
 * next multiple of 8 below with some air.
 */
const SOFTWARE_PREFILL_CHUNK = 24

/** A GPU that was found. */
export function gpuDevice(kind: GpuKind, isSoftware: boolean): Device {
  return isSoftware ? { kind, isSoftware, maxPrefillChunk: SOFTWARE_PREFILL_CHUNK } : { kind, isSoftware }
}
