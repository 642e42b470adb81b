import type { DeviceKind } from '../model/device/device.js'
import type { Probe } from '../model/device/probe.js'
import type { Adapter } from './doctor-adapters.js'
import type { FfmpegReport } from './doctor-ffmpeg.js'
import { oneLine } from './reporter.js'

/** What was found; `doctor --json` prints it as it is. */
export interface DoctorReport {
  /** Of this package. */
  readonly version: string
  readonly node: string
  /** Operating system and kind of processor, as Node names them. */
  readonly system: string
  /** That this process may use. */
  readonly cores: number
  /** Version of onnxruntime-node; null where it isn't installed. */
  readonly onnxruntime: string | null
  readonly ffmpeg: FfmpegReport
  readonly devices: Readonly<Record<DeviceKind, Probe>>
  /** Empty where no tool is installed that names them. */
  readonly adapters: readonly Adapter[]
  /** What a model is loaded on where nothing is said. */
  readonly auto: DeviceKind
}

/** The report for people. */
export function doctorText(report: DoctorReport): string {
  const { version, node, system, cores, onnxruntime, devices, auto } = report
  const lines = [
    row('tinyllava-stream', `${version} on Node ${node}, ${system}, ${cores} ${cores === 1 ? 'core' : 'cores'}`),
    row('onnxruntime-node', onnxruntime ?? 'not installed'),
    ...ffmpegLines(report.ffmpeg),
    ...deviceLines('cpu', devices.cpu),
    ...deviceLines('webgpu', devices.webgpu),
    ...deviceLines('cuda', devices.cuda),
    ...report.adapters.map(({ name, driver, by }) => row('adapter', `${name} (${driver}), seen by ${by}`)),
    row('auto', `takes ${auto}`),
  ]
  return `${lines.join('\n')}\n`
}

function ffmpegLines(ffmpeg: FfmpegReport): readonly string[] {
  if (!ffmpeg.isThere) return [row('ffmpeg', `MISSING: ${ffmpeg.reason}`)]
  const { path, version, hwaccels } = ffmpeg
  const hardware = hwaccels.length === 0 ? 'without hardware decoding' : `built with ${hwaccels.join(', ')}`
  return [row('ffmpeg', `${version}, ${path}, ${hardware}`)]
}

function deviceLines(kind: DeviceKind, probe: Probe): readonly string[] {
  if (probe.isThere) return [row(kind, `works${aboutDriver(probe)}`)]
  const reason = row(kind, `not here: ${probe.reason}`)
  return probe.command === undefined ? [reason] : [reason, row('', `what would add it: ${probe.command}`)]
}

function aboutDriver({ isSoftware, drivers }: Extract<Probe, { isThere: true }>): string {
  const by = drivers.length === 0 ? '' : ` by ${drivers.join(', ')}`
  return isSoftware ? `, slowly${by}: no GPU, and never taken by auto` : by
}

/** Names of files and drivers come from the machine: they must not steer the terminal. */
function row(name: string, text: string): string {
  return `${name.padEnd(NAME_WIDTH)}${oneLine(text)}`
}

const NAME_WIDTH = 18
