import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { listAdapters, nvidiaAdapters, vulkanAdapters } from '../../src/cli/doctor-adapters.js'
import { ffmpegVersion, hwaccelNames, lookAtFfmpeg } from '../../src/cli/doctor-ffmpeg.js'
import { outputOf } from '../../src/cli/doctor-output.js'
import { type DoctorReport, doctorText } from '../../src/cli/doctor-report.js'
import { runCli } from './spawn-cli.js'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'doctor-'))
})
afterAll(() => {
  rmSync(folder, { recursive: true })
})

/** A program of the test's own. */
function program(name: string, script: string): string {
  const path = join(folder, name)
  writeFileSync(path, `#!/bin/sh\n${script}\n`)
  chmodSync(path, 0o755)
  return path
}

describe('doctor', () => {
  test('says what is here, and ends with 0 where the processor and ffmpeg are', async () => {
    const { status, stdout } = await runCli(['doctor'])
    expect(status).toBe(0)
    expect(stdout).toMatch(/^tinyllava-stream {2}\d+\.\d+\.\d+ on Node \d+/)
    expect(stdout).toMatch(/^onnxruntime-node {2}\d+\.\d+\.\d+$/m)
    expect(stdout).toMatch(/^ffmpeg +\d\S*, \//m)
    expect(stdout).toMatch(/^cpu +works$/m)
    expect(stdout).toMatch(/^auto +takes (cpu|webgpu|cuda)$/m)
  })

  test('--json is one line with the same', async () => {
    const { status, stdout } = await runCli(['doctor', '--json'])
    const report = JSON.parse(stdout) as DoctorReport
    expect(stdout.trim().split('\n')).toHaveLength(1)
    expect(status).toBe(0)
    expect(report).toMatchObject({ node: process.versions.node, ffmpeg: { isThere: true }, devices: { cpu: { isThere: true } } })
    expect(Object.keys(report.devices)).toEqual(['cpu', 'webgpu', 'cuda'])
  })

  test('without ffmpeg it still says the rest, and ends with 1', async () => {
    const { status, stdout, stderr } = await runCli(['doctor'], { env: { FFMPEG_PATH: join(folder, 'none') } })
    expect(status).toBe(1)
    expect(stdout).toMatch(/^ffmpeg +MISSING: FFMPEG_PATH is /m)
    expect(stdout).toMatch(/^auto +takes/m)
    expect(stderr).toContain('FFMPEG_NOT_FOUND')
  })

  test('a device that is named and does not work makes it end with 1', async () => {
    const noVulkan = join(folder, 'none.json')
    const env = { VK_DRIVER_FILES: noVulkan, VK_ICD_FILENAMES: noVulkan }
    const { status, stdout, stderr } = await runCli(['doctor', '--device', 'webgpu'], { env })
    expect(status).toBe(1)
    expect(stdout).toMatch(/^webgpu +not here: /m)
    expect(stderr).toContain('DEVICE_UNAVAILABLE')
  })

  test('an unknown device is a wrong argument', async () => {
    const { status, stderr } = await runCli(['doctor', '--device', 'gpu'])
    expect(status).toBe(2)
    expect(stderr).toContain('Allowed choices are auto, cpu, webgpu, cuda')
  })

  test('the environment’s values are no part of it', async () => {
    const { stdout, stderr } = await runCli(['doctor', '--json', '--verbose'], { env: { TINYLLAVA_STREAM_TOKEN: 'hunter2hunter2hunter2' } })
    expect(stdout + stderr).not.toContain('hunter2')
  })
})

describe('ffmpeg', () => {
  test('one that is too old is told, with its version', async () => {
    const old = program('old-ffmpeg', 'echo "ffmpeg version 4.4.2-0ubuntu0.22.04.1 Copyright (c) 2000-2021"')
    expect(await lookAtFfmpeg(() => old)).toEqual({
      ...{ isThere: false, code: 'FFMPEG_TOO_OLD' },
      reason: `${old} is 4.4.2-0ubuntu0.22.04.1, which lacks options that came with 5.1. Set FFMPEG_PATH to a newer one.`,
    })
  })

  test('one that can’t be run is not there', async () => {
    const broken = program('broken-ffmpeg', 'exit 1')
    expect(await lookAtFfmpeg(() => broken)).toMatchObject({ isThere: false, code: 'FFMPEG_NOT_FOUND' })
  })

  test.each([
    ['ffmpeg version 5.1.9-0+deb12u1 Copyright (c) 2000-2026 the FFmpeg developers\nbuilt with gcc 12', '5.1.9-0+deb12u1'],
    ['ffmpeg version N-113007-g8d24a28d06 Copyright (c) 2000-2023 the FFmpeg developers', 'N-113007-g8d24a28d06'],
    ['something else', 'of an unknown version'],
  ])('version: %s', (text, version) => {
    expect(ffmpegVersion(text)).toBe(version)
  })

  test('methods of hardware decoding', () => {
    expect(hwaccelNames('Hardware acceleration methods:\nvdpau\ncuda\nvaapi\n\n')).toEqual(['vdpau', 'cuda', 'vaapi'])
    expect(hwaccelNames('Hardware acceleration methods:\n\n')).toEqual([])
  })
})

const vulkanSummary = `
Vulkan Instance Version: 1.3.239

Devices:
========
GPU0:
	apiVersion         = 1.4.305
	deviceType         = PHYSICAL_DEVICE_TYPE_CPU
	deviceName         = llvmpipe (LLVM 15.0.6, 256 bits)
	driverName         = llvmpipe
	driverInfo         = Mesa 25.0.7-2~bpo12+1 (LLVM 15.0.6)
GPU1:
	deviceName         = Some GPU
	driverName         = some driver
	driverInfo         = 
`

describe('adapters', () => {
  test('of vulkaninfo', () => {
    expect(vulkanAdapters(vulkanSummary)).toEqual([
      { name: 'llvmpipe (LLVM 15.0.6, 256 bits)', driver: 'Mesa 25.0.7-2~bpo12+1 (LLVM 15.0.6)', by: 'vulkan' },
      { name: 'Some GPU', driver: 'some driver', by: 'vulkan' },
    ])
    expect(vulkanAdapters('Cannot create Vulkan instance.')).toEqual([])
  })

  test('of nvidia-smi', () => {
    expect(nvidiaAdapters('NVIDIA A, 81920 MiB, 550.54.15\nNVIDIA B, 24576 MiB, 550.54.15\n')).toEqual([
      { name: 'NVIDIA A, 81920 MiB', driver: 'NVIDIA 550.54.15', by: 'cuda' },
      { name: 'NVIDIA B, 24576 MiB', driver: 'NVIDIA 550.54.15', by: 'cuda' },
    ])
    expect(nvidiaAdapters('No devices were found\n')).toEqual([])
  })

  test('none where neither is installed', async () => {
    expect(await listAdapters(() => Promise.resolve(undefined))).toEqual([])
  })

  test('a tool that is missing or fails has no output', async () => {
    expect(await outputOf(join(folder, 'none'), [])).toBeUndefined()
    expect(await outputOf(program('failing', 'echo words; exit 1'), [])).toBeUndefined()
    expect(await outputOf(program('working', 'echo words'), [])).toBe('words\n')
  })
})

test('the text tells reasons, commands and adapters, and lets nothing steer the terminal', () => {
  const text = doctorText({
    ...{ version: '1.2.3', node: '20.19.0', system: 'linux x64', cores: 1, onnxruntime: null, auto: 'cpu' },
    ffmpeg: { isThere: true, path: '/bin/ffmpeg\u001b[2J', version: '7.0', hwaccels: [] },
    devices: {
      cpu: { isThere: true, isSoftware: false, drivers: [] },
      webgpu: { isThere: true, isSoftware: true, drivers: ['libvulkan_lvp.so'] },
      cuda: { isThere: false, reason: 'It is missing.', command: 'install it' },
    },
    adapters: [{ name: 'A', driver: 'B 1', by: 'vulkan' }],
  })
  expect(text).toBe(
    [
      'tinyllava-stream  1.2.3 on Node 20.19.0, linux x64, 1 core',
      'onnxruntime-node  not installed',
      'ffmpeg            7.0, /bin/ffmpeg [2J, without hardware decoding',
      'cpu               works',
      'webgpu            works, slowly by libvulkan_lvp.so: no GPU, and never taken by auto',
      'cuda              not here: It is missing.',
      '                  what would add it: install it',
      'adapter           A (B 1), seen by vulkan',
      'auto              takes cpu',
      '',
    ].join('\n'),
  )
})
