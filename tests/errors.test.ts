import { readFileSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { describe, expect, test } from 'vitest'

import { StreamError, abortError, asStreamError, errorCodes, throwIfAborted } from '../src/errors.js'

const folder = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url))

/** The rows of the tables of docs/ERRORS.md: what each code means. */
function documentedCodes(): ReadonlyMap<string, string> {
  const rows = readFileSync(folder('docs/ERRORS.md'), 'utf8').matchAll(/^\| `([A-Z_]+)` \| (.+?) \| (.+?) \|$/gm)
  return new Map(Array.from(rows, ([, code = '', means = '', advice = '']) => [code, `${means} ${advice}`]))
}

/** The text of every source file but the list of codes itself. */
function sourceTexts(): readonly string[] {
  return readdirSync(folder('src'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && path !== 'errors.ts')
    .map((path) => readFileSync(folder(`src/${path}`), 'utf8').replace(/\/\*[\s\S]*?\*\//g, ''))
}

describe('every error code', () => {
  const [documented, sources] = [documentedCodes(), sourceTexts()]

  test('is documented, and no other is', () => {
    expect([...documented.keys()].sort()).toEqual([...errorCodes].sort())
  })

  test.each(errorCodes)('%s is used by the code', (code) => {
    // `abortError` is how ABORTED is thrown.
    const use = code === 'ABORTED' ? /\babortError\(|\bthrowIfAborted\(/ : new RegExp(`['"]${code}['"]`)
    expect(sources.some((text) => use.test(text))).toBe(true)
  })

  test('that can be retried says so in its document, and no other does', () => {
    const retriable = errorCodes.filter((code) => new StreamError(code, '').canRetry)
    const saidSo = [...documented].filter(([, text]) => text.includes('Can be retried')).map(([code]) => code)
    expect(saidSo.sort()).toEqual([...retriable].sort())
  })
})

describe('StreamError', () => {
  test('carries code, message and cause', () => {
    const cause = new Error('no space')
    const error = new StreamError('SINK_FAILED', 'Could not write.', { cause })
    expect(error).toBeInstanceOf(Error)
    const expected = { name: 'StreamError', code: 'SINK_FAILED', message: 'Could not write.', canRetry: true }
    expect(error).toMatchObject(expected)
    expect(error.cause).toBe(cause)
    expect('cause' in new StreamError('SINK_FAILED', 'Could not write.')).toBe(false)
  })
})

describe('asStreamError', () => {
  test('leaves a coded error as it is', () => {
    const coded = new StreamError('VIDEO_EMPTY', 'It is empty.')
    expect(asStreamError(coded, 'MODEL_FAILED', 'Running')).toBe(coded)
  })

  test.each([
    [new TypeError('a mistake'), 'Running: a mistake'],
    ['text', 'Running: text'],
    [undefined, 'Running: undefined'],
  ])('wraps %o and keeps it as the cause', (thrown, message) => {
    const error = asStreamError(thrown, 'MODEL_FAILED', 'Running')
    expect(error).toMatchObject({ code: 'MODEL_FAILED', message })
    expect(error.cause).toBe(thrown)
  })
})

test('throwIfAborted throws once the signal is aborted, with its reason', () => {
  const abort = new AbortController()
  throwIfAborted(undefined, 'Work')
  throwIfAborted(abort.signal, 'Work')
  abort.abort('enough')
  const expected = { code: 'ABORTED', message: 'Work was stopped before it finished.', cause: 'enough' }
  expect(() => {
    throwIfAborted(abort.signal, 'Work')
  }).toThrow(expect.objectContaining(expected))
  expect(abortError('Work')).toMatchObject({ code: 'ABORTED', canRetry: false })
})
