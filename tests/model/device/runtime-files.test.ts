import { existsSync } from 'node:fs'

import { expect, test } from 'vitest'

import { cudaInstaller, providerFolder, runtimeVersion } from '../../../src/model/device/runtime-files.js'

test('the installer is where the command says', () => {
  const [, script = ''] = /^ONNXRUNTIME_NODE_INSTALL=true node (.+)$/.exec(cudaInstaller()) ?? []
  expect(existsSync(script)).toBe(true)
})

test('the provider’s folder is the one of the runtime’s own library', () => {
  expect(existsSync(`${providerFolder({ platform: 'linux', arch: 'x64' }) ?? ''}/libonnxruntime.so.1`)).toBe(true)
})

test.each([
  ['darwin', 'arm64'],
  ['win32', 'x64'],
  ['linux', 'arm64'],
] as const)('there is none for %s on %s', (platform, arch) => {
  expect(providerFolder({ platform, arch })).toBeUndefined()
})

test('the runtime’s version is told', () => {
  expect(runtimeVersion()).toMatch(/^\d+\.\d+\.\d+/)
})
