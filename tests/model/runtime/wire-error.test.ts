import { expect, test } from 'vitest'
import { StreamError } from '../../../src/errors.js'
import { fromWireError, toWireError } from '../../../src/model/runtime/wire-error.js'

/** What a message between threads does to a value. */
const cross = (error: unknown): StreamError => fromWireError(structuredClone(toWireError(error)))

test('a coded error keeps code, message, whether it can be tried again, and its cause as text', () => {
  const error = cross(new StreamError('MODEL_FAILED', 'The graph failed.', { cause: new TypeError('bad shape') }))
  expect(error).toBeInstanceOf(StreamError)
  expect(error).toMatchObject({ code: 'MODEL_FAILED', message: 'The graph failed.', canRetry: true })
  expect((error.cause as Error).message).toContain('TypeError: bad shape')
})

test('an error without a code becomes MODEL_FAILED', () => {
  expect(cross(new RangeError('too far'))).toMatchObject({ code: 'MODEL_FAILED', message: 'The model failed: too far' })
  expect(cross('text')).toMatchObject({ code: 'MODEL_FAILED', message: 'The model failed: text' })
})

test('a cause that is no error is shown, and none stays none', () => {
  expect((cross(new StreamError('ABORTED', 'Stopped.', { cause: { why: 'asked' } })).cause as Error).message).toBe("{ why: 'asked' }")
  expect(cross(new StreamError('ABORTED', 'Stopped.')).cause).toBeUndefined()
})
