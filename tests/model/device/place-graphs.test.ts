import { expect, test } from 'vitest'

import { CPU, gpuDevice } from '../../../src/model/device/device.js'
import { placeGraphs } from '../../../src/model/device/place-graphs.js'
import { planThreads } from '../../../src/model/runtime/threads.js'

const plan = planThreads(2)

test('leaves everything as it is on the processor', () => {
  expect(placeGraphs(plan, CPU, 2)).toEqual(plan)
})

test.each(['webgpu', 'cuda'] as const)('%s runs all but resizing, the look-up of tokens, an addition and what explains answers', (kind) => {
  const placed = Object.entries(placeGraphs(plan, gpuDevice(kind, false), 2))
  const onProcessor = placed.filter(([, { provider }]) => provider === undefined).map(([graph]) => graph)
  expect(onProcessor.sort()).toEqual(['embedTokens', 'explainingConnector', 'explainingDecoder', 'joinFrames', 'preprocess'])
  expect(placed.every(([, { provider = kind }]) => provider === kind)).toBe(true)
})

test('keys and values stay on a webgpu device, where JavaScript can hold them there', () => {
  const kept = ['present.0.key', 'present.0.value', 'present.1.key', 'present.1.value']
  expect(placeGraphs(plan, gpuDevice('webgpu', true), 2).decoder.keptOutputs).toEqual(kept)
  expect(placeGraphs(plan, gpuDevice('webgpu', true), 2).visionEncoder.keptOutputs).toEqual([])
  expect(placeGraphs(plan, gpuDevice('cuda', false), 2).decoder.keptOutputs).toEqual([])
})

test('threads are planned as before', () => {
  expect(placeGraphs(plan, gpuDevice('cuda', false), 2).decoder).toMatchObject(plan.decoder)
})
