/** Real processes: the built probe, and programs that behave as bad drivers do. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { probeProgram, runProbe } from '../../../src/model/device/run-probe.js'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'run-probe-'))
})
afterAll(() => {
  rmSync(folder, { recursive: true })
})

/** A program in the place of the probe. */
function program(name: string, text: string): URL {
  const path = join(folder, `${name}.mjs`)
  writeFileSync(path, text)
  return pathToFileURL(path)
}

const rightReport = "process.send({ isRight: true, drivers: [], hasGpuOpen: false });"

test('the processor multiplies', async () => {
  expect(await runProbe('cpu')).toMatchObject({ report: { isRight: true, hasGpuOpen: false } })
})

test('a provider that can’t be loaded says why', async () => {
  // No Vulkan driver at all.
  const environment = { VK_DRIVER_FILES: join(folder, 'none.json'), VK_ICD_FILENAMES: join(folder, 'none.json') }
  const { report, output } = await runProbe('webgpu', { environment })
  expect(report).toMatchObject({ isRight: false, message: expect.stringContaining('WebGPU adapter') as unknown })
  expect(output).not.toBe('')
})

test('a crash is told and ends nothing else', async () => {
  const crashing = program('crash', 'process.kill(process.pid, "SIGSEGV"); setInterval(() => {}, 1e6)')
  const message = 'A probe ended with SIGSEGV: a library or driver crashed.'
  expect((await runProbe('webgpu', { program: crashing })).report).toEqual({ isRight: false, message })
})

test('a crash after a good report is a crash: it would end a service the same way', async () => {
  const crashing = program('late-crash', `${rightReport} process.disconnect(); process.on('exit', () => process.abort())`)
  expect((await runProbe('webgpu', { program: crashing })).report).toMatchObject({ isRight: false })
})

test('a probe that hangs is killed', async () => {
  const hanging = program('hang', `${rightReport} for (;;);`)
  const message = 'A probe did not end within 0.5 s.'
  expect((await runProbe('webgpu', { program: hanging, timeoutMs: 500 })).report).toEqual({ isRight: false, message })
})

test('one that ends without a report has failed, and its last words are kept', async () => {
  const silent = program('silent', `console.error('x'.repeat(100_000) + 'the last words'); process.exitCode = 3`)
  const { report, output } = await runProbe('webgpu', { program: silent })
  expect(report).toMatchObject({ isRight: false, message: expect.stringContaining('exit code 3') as unknown })
  expect(output.length).toBeLessThanOrEqual(16_384)
  expect(output.trim()).toMatch(/the last words$/)
})

test('a program that can’t be started is no crash of ours', async () => {
  const { report } = await runProbe('webgpu', { program: pathToFileURL(join(folder, 'missing.mjs')) })
  expect(report.isRight).toBe(false)
})

test('the probe lies beside the built caller, and was built', () => {
  expect(probeProgram('file:///app/dist/model/device/run-probe.js').href).toBe('file:///app/dist/model/device/probe-child.js')
  expect(existsSync(probeProgram(new URL('../../../src/model/device/run-probe.ts', import.meta.url).href))).toBe(true)
})
