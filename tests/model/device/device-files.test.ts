import { expect, test } from 'vitest'

import { isGpuFile, mayHaveGpu } from '../../../src/model/device/device-files.js'

test.each(['/dev/dri/renderD128', '/dev/nvidia0', '/dev/nvidiactl', '/dev/dxg'])('%s is a GPU', (path) => {
  expect(isGpuFile(path)).toBe(true)
})

// A display without a GPU, e.g. of a virtual machine or a server's board, has a card and no render node.
test.each(['/dev/dri/card0', '/dev/nvidia-modeset', '/dev/null', '/srv/dev/nvidia0'])('%s is none', (path) => {
  expect(isGpuFile(path)).toBe(false)
})

test('a Mac always has one, and on Windows it can’t be told', () => {
  expect(mayHaveGpu('darwin')).toBe(true)
  expect(mayHaveGpu('win32')).toBe(false)
})
