import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { convertCase, readCase } from '../../../support/cases.js'

// The two kinds of GELU are closer to each other than the goldens' tolerance.
test.each([['gemma', true], ['gemma-group', false]] as const)('%s: the gate is the tanh approximation unless the configuration names another', async (name, isTanh) => {
  const bundle = await convertCase(readCase(name), 'fused')
  const graph = readFileSync(join(bundle.directory, 'decoder_appending.onnx'))
  bundle.remove()
  expect(graph.includes('approximate') && graph.includes('tanh')).toBe(isTanh)
  expect(graph.includes('QuickGelu')).toBe(!isTanh)
})
