import { StreamError } from '../../errors.js'
import { CPU, type Device, type DeviceChoice } from './device.js'

/** A device that a model may use until it gives it back. */
export interface Claim {
  readonly device: Device
  /** Lets the next model have it. Harmless when called again. */
  readonly giveBack: () => void
}

let isWebGpuTaken = false

/**
 * Claims a device for one model.
 *
 * ONNX Runtime's WebGPU is one thing for the whole process and knows no threads, and each model has a thread of its
 * own: two that run at once end the process (`SIGSEGV`, onnxruntime-node 1.30). So one model at a time has `webgpu`.
 *
 * @param choice With `auto` the processor is taken where another model has the device.
 * @throws {StreamError} `DEVICE_UNAVAILABLE`: another model of this process has it.
 */
export function claimDevice(device: Device, choice: DeviceChoice): Claim {
  if (device.kind !== 'webgpu') return { device, giveBack: () => undefined }
  if (isWebGpuTaken && choice === 'auto') return claimDevice(CPU, choice)
  if (isWebGpuTaken) {
    throw new StreamError(
      'DEVICE_UNAVAILABLE',
      "The device `webgpu` can't be used: another model of this process runs on it, and it serves one at a time. " +
        'Share that model, dispose of it first, or start another process.',
    )
  }
  isWebGpuTaken = true
  let isOurs = true
  const giveBack = (): void => {
    if (!isOurs) return
    isOurs = false
    isWebGpuTaken = false
  }
  return { device, giveBack }
}
