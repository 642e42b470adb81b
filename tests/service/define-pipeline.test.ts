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

test('sinks may be left out, and the model may be a loaded one', () => {
  const { name, sources, stream } = valid
  expect(definePipeline({ name, sources, stream, model: createFakeModel() }).sinks).toEqual([])
})

test.each([
  [{ name: ' ' }, '`name` to be a name, got a value of type string.'],
  [{ model: '' }, '`model` to be the folder of a bundle, or a loaded model, got an empty text.'],
  [{ model: 3 }, '`model` to be the folder of a bundle, or a loaded model, got a value of type number.'],
  [{ sources: [] }, '`sources` to be a list of at least one source, got an empty list.'],
  [{ sources: ['a.mp4'] }, '`sources[0]` to be a source, as `file(…)` makes it, got a value of type string.'],
  [{ stream: EMPTY }, '`stream` to be a function (frames, { model }) => results, got a value of type object.'],
  [{ sinks: {} }, '`sinks` to be a list of sinks, got a value of type object.'],
  [{ sinks: [null] }, '`sinks[0]` to be a sink, as `jsonLines(…)` makes it, got null.'],
])('refuses %j', (change, expected) => {
  const wrong = { ...valid, ...change } as unknown as Pipeline
  const refusal: unknown = expect.objectContaining({ code: 'PIPELINE_INVALID', message: `Expected ${expected}` })
  expect(() => definePipeline(wrong)).toThrow(refusal)
})

test.each([
  [undefined, 'The pipeline is undefined, not a declaration: export what `definePipeline` returns.'],
  [{ ...valid, sources: [...valid.sources, ...valid.sources] }, 'Two sources have the id `one`: give each its own.'],
])('refuses a wrong declaration: %#', (wrong, message) => {
  const refusal: unknown = expect.objectContaining({ code: 'PIPELINE_INVALID', message })
  expect(() => definePipeline(wrong as Pipeline)).toThrow(refusal)
})
