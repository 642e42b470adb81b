import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { workerFile } from '../../../src/model/runtime/worker-thread.js'

test('is beside the caller where that is built', () => {
  expect(workerFile('file:///app/node_modules/tinyllava-stream/dist/model/runtime/worker-thread.js').href).toBe(
    'file:///app/node_modules/tinyllava-stream/dist/model/runtime/worker.js',
  )
})

test('is the built one where the caller runs from source, also below another folder named src', () => {
  expect(workerFile('file:///home/src/project/src/model/runtime/worker-thread.ts').href).toBe(
    'file:///home/src/project/dist/model/runtime/worker.js',
  )
})

test('was built before the tests', () => {
  expect(existsSync(workerFile(new URL('../../../src/model/runtime/worker-thread.ts', import.meta.url).href))).toBe(true)
})
