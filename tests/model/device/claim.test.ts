import { expect, test } from 'vitest'

import { claimDevice } from '../../../src/model/device/claim.js'
import { CPU, gpuDevice } from '../../../src/model/device/device.js'

const webgpu = gpuDevice('webgpu', false)
const cuda = gpuDevice('cuda', false)

test('webgpu serves one model at a time', () => {
  const first = claimDevice(webgpu, 'webgpu')
  expect(first.device).toBe(webgpu)
  expect(() => claimDevice(webgpu, 'webgpu')).toThrow(
    expect.objectContaining({ code: 'DEVICE_UNAVAILABLE', message: expect.stringContaining('one at a time') as unknown }),
  )
  expect(claimDevice(webgpu, 'auto').device).toBe(CPU)

  first.giveBack()
  const second = claimDevice(webgpu, 'auto')
  expect(second.device).toBe(webgpu)
  // Of one that has nothing any more: the second keeps what it has.
  first.giveBack()
  expect(claimDevice(webgpu, 'auto').device).toBe(CPU)
  second.giveBack()
})

test.each([CPU, cuda])('others serve any number', (device) => {
  const claims = [claimDevice(device, 'auto'), claimDevice(device, device.kind)]
  expect(claims.map((claim) => claim.device)).toEqual([device, device])
  for (const { giveBack } of claims) giveBack()
})
