import { EMPTY } from 'rxjs'
import { expect, test } from 'vitest'

import { definePipeline } from '../../src/service/define-pipeline.js'
import type { Pipeline } from '../../src/service/define-pipeline.js'
import { createFakeModel } from '../operators/fakes.js'
import { createFakeSink, createHandSource } from './fakes.js'

const valid: Pipeline = {
  name: 'test',
  sources: [createHandSource('one')],
  stream: () => EMPTY,
  sinks: [createFakeSink()],
}

test('returns the declaration, frozen', () => {
  const pipeline = definePipeline({ ...valid, model: './bundle' })
  expect(pipeline).toEqual({ ...valid, model: './bundle' })
  expect([pipeline, pipeline.sources, pipeline.sinks].every((part) => Object.isFrozen(part))).toBe(true)
})

test.each([
  [{ model: null }],
  [{ model: './bundle', device: 'webgpu' } as const],
  [{ device: 'auto' } as const],
  [{ sources: [] }],
  [{ delivery: 'exactly-once', drainTimeoutMs: 0 } as const],
  [{ drainTimeoutMs: 2 ** 31 - 1 }],
])('takes %j', (change) => {
  expect(definePipeline({ ...valid, ...change })).toMatchObject(change)
})

test('sinks may be left out, and the model may be a loaded one', () => {
  const { name, sources, stream } = valid
  expect(definePipeline({ name, sources, stream, model: createFakeModel() }).sinks).toEqual([])
})

test.each([
  [{ name: ' ' }, '`name` to be a name, got a value of type string.'],
  [{ name: undefined }, '`name` to be a name, got undefined.'],
  [{ model: '' }, '`model` to be the folder of a bundle, a loaded model, or null for none, got an empty text.'],
  [{ model: 3 }, '`model` to be the folder of a bundle, a loaded model, or null for none, got a value of type number.'],
  [{ device: 'gpu' }, '`device` to be one of auto, cpu, webgpu, cuda, got a value of type string.'],
  [{ device: 'cpu', model: null }, '`device` to be left out: it is for a model that is still to be loaded, from its folder.'],
  [
    { device: 'cpu', model: createFakeModel() },
    '`device` to be left out: it is for a model that is still to be loaded, from its folder.',
  ],
  [{ sources: undefined }, '`sources` to be a list, got undefined.'],
  [{ sources: ['a.mp4'] }, '`sources[0]` to be a source, as `file(…)` makes it, got a value of type string.'],
  [{ stream: EMPTY }, '`stream` to be a function (frames, { model }) => results, got a value of type object.'],
  [{ sinks: {} }, '`sinks` to be a list, got a value of type object.'],
  [{ sinks: [null] }, '`sinks[0]` to be a sink, as `jsonLines(…)` makes it, got null.'],
  [{ delivery: 'twice' }, "`delivery` to be 'at-least-once' or 'exactly-once', got a value of type string."],
  [{ drainTimeoutMs: -1 }, '`drainTimeoutMs` to be a whole number of milliseconds up to 2147483647, got a value of type number.'],
  [{ drainTimeoutMs: 2 ** 31 }, '`drainTimeoutMs` to be a whole number of milliseconds up to 2147483647, got a value of type number.'],
  [{ drainTimeoutMs: 1.5 }, '`drainTimeoutMs` to be a whole number of milliseconds up to 2147483647, got a value of type number.'],
])('refuses %j', (change, expected) => {
  const wrong = { ...valid, ...change } as unknown as Pipeline
  const refusal: unknown = expect.objectContaining({ code: 'PIPELINE_INVALID', message: `Expected ${expected}` })
  expect(() => definePipeline(wrong)).toThrow(refusal)
})

test.each([
  [undefined, 'The pipeline is undefined, not a declaration: export what `definePipeline` returns.'],
  [3, 'The pipeline is a value of type number, not a declaration: export what `definePipeline` returns.'],
  [{ ...valid, sources: [...valid.sources, ...valid.sources] }, 'Two sources have the id `one`: give each its own.'],
  [
    { ...valid, sink: [], secret: 'hunter2' },
    'A pipeline has no `sink`, `secret`: it has ' +
      '`name`, `model`, `device`, `sources`, `stream`, `sinks`, `delivery`, `drainTimeoutMs`.',
  ],
])('refuses a wrong declaration: %#', (wrong, message) => {
  const refusal: unknown = expect.objectContaining({ code: 'PIPELINE_INVALID', message })
  expect(() => definePipeline(wrong as Pipeline)).toThrow(refusal)
})

test('names every mistake at once, each with its path, and no value', () => {
  const sources = [valid.sources[0], 'rtsp://admin:hunter2@door', valid.sources[0]]
  const wrong = { name: '', sources, stream: 'hunter2', sinks: [{ write: 'hunter2' }], sink: 'hunter2' }
  const mistakes = [
    'Expected `name` to be a name, got an empty text.',
    'Expected `sources[1]` to be a source, as `file(…)` makes it, got a value of type string.',
    'Two sources have the id `one`: give each its own.',
    'Expected `stream` to be a function (frames, { model }) => results, got a value of type string.',
    'Expected `sinks[0]` to be a sink, as `jsonLines(…)` makes it, got a value of type object.',
    'A pipeline has no `sink`: it has `name`, `model`, `device`, `sources`, `stream`, `sinks`, `delivery`, `drainTimeoutMs`.',
  ]
  const refusal: unknown = expect.objectContaining({ code: 'PIPELINE_INVALID', message: mistakes.join(' ') })
  expect(() => definePipeline(wrong as unknown as Pipeline)).toThrow(refusal)
})
