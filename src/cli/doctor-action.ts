import { availableParallelism } from 'node:os'

import { StreamError } from '../errors.js'
import { chooseDevice } from '../model/device/choose-device.js'
import type { DeviceChoice } from '../model/device/device.js'
import { probeDevice } from '../model/device/probe.js'
import { runtimeVersion } from '../model/device/runtime-files.js'
import { print } from '../sinks/print.js'
import type { TextOutput } from '../sinks/print.js'
import { packageVersion } from '../version.js'
import { lookAtFfmpeg } from './doctor-ffmpeg.js'
import { listAdapters } from './doctor-adapters.js'
import { type DoctorReport, doctorText } from './doctor-report.js'

/** What can be said. */
export interface DoctorFlags {
  readonly json?: true
  readonly device?: DeviceChoice
}

/**
 * Looks at what there is and prints it.
 *
 * @throws {StreamError} after printing: `FFMPEG_NOT_FOUND`, `FFMPEG_TOO_OLD`, or `DEVICE_UNAVAILABLE` where not even
 *   the processor works, or not the device that was named.
 */
export async function doctor({ json, device = 'cpu' }: DoctorFlags, output: TextOutput = process.stdout): Promise<void> {
  const report = await examine()
  await print(output, json === true ? `${JSON.stringify(report)}\n` : doctorText(report))
  const { ffmpeg, devices } = report
  if (!ffmpeg.isThere) throw new StreamError(ffmpeg.code, ffmpeg.reason)
  if (!devices.cpu.isThere) throw new StreamError('DEVICE_UNAVAILABLE', `ONNX Runtime doesn't run here: ${devices.cpu.reason}`)
  await chooseDevice(device)
}

async function examine(): Promise<DoctorReport> {
  // One after the other where they would share the GPU.
  const [ffmpeg, adapters] = await Promise.all([lookAtFfmpeg(), listAdapters()])
  const devices = { cpu: await probeDevice('cpu'), webgpu: await probeDevice('webgpu'), cuda: await probeDevice('cuda') }
  const { kind: auto } = await chooseDevice('auto')
  return {
    version: packageVersion(),
    node: process.versions.node,
    system: `${process.platform} ${process.arch}`,
    cores: availableParallelism(),
    onnxruntime: runtimeVersion() ?? null,
    ...{ ffmpeg, devices, adapters, auto },
  }
}
