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
  [undefined, 'The pipeline is undefined, not a declaration: export what `definePipeline` returns.'],
  [{ ...valid, name: ' ' }, 'Expected `name` to be a name, got a value of type string.'],
  [{ ...valid, model: '' }, 'Expected `model` to be the folder of a bundle, or a loaded model, got an empty text.'],
  [{ ...valid, model: 3 }, 'Expected `model` to be the folder of a bundle, or a loaded model, got a value of type number.'],
  [{ ...valid, sources: [] }, 'Expected `sources` to be a list of at least one source, got an empty list.'],
  [{ ...valid, sources: ['clip.mp4'] }, 'Expected `sources[0]` to be a source, as `file(…)` makes it, got a value of type string.'],
  [{ ...valid, sources: [...valid.sources, createHandSource('one')] }, 'Two sources have the id `one`: give each its own.'],
  [{ ...valid, stream: EMPTY }, 'Expected `stream` to be a function (frames, { model }) => results, got a value of type object.'],
  [{ ...valid, sinks: {} }, 'Expected `sinks` to be a list of sinks, got a value of type object.'],
  [{ ...valid, sinks: [null] }, 'Expected `sinks[0]` to be a sink, as `jsonLines(…)` makes it, got null.'],
])('refuses a wrong declaration %#', (pipeline, message) => {
  expect(() => definePipeline(pipeline as Pipeline)).toThrow(expect.objectContaining({ code: 'PIPELINE_INVALID', message }))
})
