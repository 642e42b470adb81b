import { expect, test, vi } from 'vitest'

import { type DeviceSearch, chooseDevice } from '../../../src/model/device/choose-device.js'
import type { DeviceKind } from '../../../src/model/device/device.js'
import type { Probe } from '../../../src/model/device/probe.js'

const real: Probe = { isThere: true, isSoftware: false, drivers: [] }
const software: Probe = { isThere: true, isSoftware: true, drivers: ['libvulkan_lvp.so'] }
const missing: Probe = { isThere: false, reason: 'No driver.', command: 'apt-get install driver' }

/** A machine that this test makes up. */
function machine(probes: Partial<Record<DeviceKind, Probe>>, hasGpu = true) {
  const probe = vi.fn<DeviceSearch['probe']>((kind) => Promise.resolve(probes[kind] ?? missing))
  return { mayHaveGpu: () => hasGpu, probe }
}

test.each([
  ['cuda before webgpu', { cuda: real, webgpu: real }, 'cuda'],
  ['webgpu where cuda is missing', { webgpu: real }, 'webgpu'],
  ['the processor where there is nothing else', {}, 'cpu'],
  ['the processor before a software adapter', { webgpu: software }, 'cpu'],
] as const)('auto takes %s', async (_, probes, kind) => {
  expect(await chooseDevice('auto', machine(probes))).toEqual({ kind, isSoftware: false })
})

test('auto starts no probe where the machine shows no GPU', async () => {
  const search = machine({ cuda: real, webgpu: real }, false)
  expect(await chooseDevice('auto', search)).toEqual({ kind: 'cpu', isSoftware: false })
  expect(search.probe).not.toHaveBeenCalled()
})

test('cpu is taken without a look', async () => {
  const search = machine({ cuda: real })
  expect(await chooseDevice('cpu', search)).toEqual({ kind: 'cpu', isSoftware: false })
  expect(search.probe).not.toHaveBeenCalled()
})

test('a device that is named is taken, also a software adapter, which has shorter chunks', async () => {
  const search = machine({ cuda: real, webgpu: software }, false)
  expect(await chooseDevice('cuda', search)).toEqual({ kind: 'cuda', isSoftware: false })
  expect(await chooseDevice('webgpu', search)).toEqual({ kind: 'webgpu', isSoftware: true, maxPrefillChunk: 24 })
})

test.each([
  [missing, "The device `cuda` can't be used: No driver. What would add it: apt-get install driver"],
  [{ isThere: false, reason: 'No driver.' } as const, "The device `cuda` can't be used: No driver. See docs/GPU.md."],
])('a device that is named and missing is DEVICE_UNAVAILABLE, with the reason and what to do', async (probe, message) => {
  await expect(chooseDevice('cuda', machine({ cuda: probe }))).rejects.toMatchObject({ code: 'DEVICE_UNAVAILABLE', message })
})
