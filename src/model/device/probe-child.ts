/**
 * A process of its own that runs a tiny graph on one provider and tells how that went: a driver that crashes or hangs
 * takes this process with it and no other.
 */
import { readFileSync, readdirSync, readlinkSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GraphBuilder } from '../graph/builder.js'
import { writeGraph } from '../graph/write.js'
import { isGpuFile } from './device-files.js'

/** What the child tells. */
export type ProbeReport =
  | {
      readonly isRight: true
      /** Vulkan drivers that are loaded, by the names of their files. */
      readonly drivers: readonly string[]
      /** Whether a GPU's device file is open. */
      readonly hasGpuOpen: boolean
    }
  | { readonly isRight: false; readonly message: string }

/** Two rows of two, and what they make multiplied by themselves: what a model does most. */
const [VALUES, SQUARES] = [[1, 2, 3, 4], [7, 10, 15, 22]]
const SHAPE = [2, 2]

try {
  await runTinyGraph(process.argv[2] ?? '')
  report({ isRight: true, drivers: loadedDrivers(), hasGpuOpen: openFiles().some(isGpuFile) })
} catch (error) {
  report({ isRight: false, message: error instanceof Error ? error.message : String(error) })
}

/** @throws where the provider isn't there, or doesn't run the graph itself, or computes it wrongly. */
async function runTinyGraph(provider: string): Promise<void> {
  // Not above: a library that can't be loaded is to be told as well.
  const { InferenceSession, Tensor } = await import('onnxruntime-node')
  const folder = await mkdtemp(join(tmpdir(), 'tinyllava-stream-probe-'))
  try {
    const path = join(folder, 'probe.onnx')
    await writeGraph(tinyGraph().content, path, { locations: new Map() })
    const session = await InferenceSession.create(path, {
      executionProviders: [provider],
      // A provider that isn't there is only warned of, and the processor takes its place: not here.
      extra: { session: { disable_cpu_ep_fallback: provider === 'cpu' ? '0' : '1' } },
    })
    const { square } = await session.run({ value: new Tensor('float32', Float32Array.from(VALUES), SHAPE) })
    const isRight = SQUARES.every((value, index) => square?.data[index] === value)
    if (!isRight) throw new Error(`${provider} computed a wrong product.`)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function tinyGraph(): GraphBuilder {
  const graph = GraphBuilder.empty('probe')
  const value = graph.input('value', 'float32', SHAPE)
  graph.output('square', graph.node('MatMul', [value, value], value))
  return graph
}

/** Empty where there is no Linux to tell. */
function loadedDrivers(): readonly string[] {
  const maps = orEmpty(() => readFileSync('/proc/self/maps', 'utf8'), '')
  return [...new Set(maps.match(/[^/\n]*(?:libvulkan_\w+|libGLX_nvidia|swiftshader)\.so[\w.]*$/gm))]
}

function openFiles(): readonly string[] {
  const folder = '/proc/self/fd'
  return orEmpty(() => readdirSync(folder), []).map((name) => orEmpty(() => readlinkSync(join(folder, name)), ''))
}

function orEmpty<Value>(read: () => Value, empty: Value): Value {
  try {
    return read()
  } catch {
    return empty
  }
}

function report(result: ProbeReport): void {
  process.send?.(result)
  process.disconnect()
}
