import fc from 'fast-check'
import { from, lastValueFrom, toArray } from 'rxjs'
import { TestScheduler } from 'rxjs/testing'
import { describe, expect, test } from 'vitest'

import { alertId, resultSchema } from '../../src/envelope.js'
import type { AlertResult, Answer, Result } from '../../src/envelope.js'
import { alert } from '../../src/operators/alert.js'
import type { AlertOptions } from '../../src/operators/alert.js'
import { originOf, withOrigin } from '../../src/origin.js'
import { answerAt, errorAt, idOf, inEpoch } from './answers.js'

const door: AlertOptions = { name: 'door', when: /^yes/i }

const through = (options: AlertOptions, results: readonly Result[]) =>
  lastValueFrom(from(results).pipe(alert(options), toArray()))

/** The alerts of answers that are given each second, `y` for yes, as state and media time. */
const alertsOf = async (options: AlertOptions, answers: string) =>
  summary(await through(options, Array.from(answers, (letter, second) => answerAt(second * 1000, letter === 'y' ? 'Yes.' : 'No.'))))

const summary = (results: readonly Result[]) =>
  results.flatMap((result) => (result.kind === 'alert' ? [`${result.alert.state} ${result.clip.endMs}`] : []))

const alertFor = (answer: Answer, state: AlertResult['alert']['state'], sincePtsMs: number): AlertResult => {
  const { schema, pipeline, source, clip, question, model, degraded } = answer
  const since = { epoch: 0, ptsMs: sincePtsMs, capturedAt: null }
  const id = alertId({ answerId: answer.id, name: 'door', state })
  const facts = { name: 'door', state, since, answerId: answer.id, answer: answer.answer }
  return { kind: 'alert', schema, id, pipeline, source, clip, question, model, degraded, alert: facts }
}

describe('alert', () => {
  test('passes every answer, and puts an alert before the one that decided it', () => {
    const [n, y, z, m] = [answerAt(0, 'No.'), answerAt(1000, 'Yes.'), answerAt(2000, 'Yes!'), answerAt(3000, 'No.')]
    const values = { n, y, z, m, R: alertFor(y, 'raised', 1000), C: alertFor(m, 'cleared', 3000) }
    new TestScheduler((actual, expected) => {
      expect(toJson(actual)).toEqual(toJson(expected))
    }).run(({ hot, expectObservable }) => {
      expectObservable(hot<Result>('-n-y---z-m---|', values).pipe(alert(door))).toBe('-n-(Ry)z-(Cm)|', values)
      expectObservable(hot<Result>('-n-#', values).pipe(alert(door))).toBe('-n-#', values)
    })
  })

  test('is a valid result, also through JSON', async () => {
    const [raised] = await through(door, [answerAt(0, 'Yes.')])
    expect(resultSchema.parse(JSON.parse(JSON.stringify(raised)))).toMatchObject({ kind: 'alert', alert: { name: 'door' } })
  })

  test('a replay gives the same ids; another answer, name or state another one', async () => {
    const ids = async (options: AlertOptions) =>
      (await through(options, [answerAt(0, 'Yes.'), answerAt(1, 'No.')])).filter(({ kind }) => kind === 'alert').map(({ id }) => id)
    const once = await ids(door)
    expect(await ids(door)).toEqual(once)
    expect(new Set([...once, ...(await ids({ ...door, name: 'gate' }))]).size).toBe(4)
    expect(alertId({ answerId: idOf(0), name: 'door', state: 'raised' })).toBe(once[0])
    expect(once[0]).toMatch(/^[0-9a-f]{64}$/)
  })

  test('knows what its answer knows beside the envelope', async () => {
    const need = { from: 7 }
    const [raised] = await through(door, [withOrigin(answerAt(0, 'Yes.'), { need })])
    expect(raised === undefined ? undefined : originOf(raised)).toEqual({ need })
  })

  test('is raised after `holdMs` and cleared after `clearAfterMs`, and says since when', async () => {
    const options = { ...door, holdMs: 2000, clearAfterMs: 3000 }
    expect(await alertsOf(options, 'nyynyyyynnynnnn')).toEqual(['raised 6000', 'cleared 14000'])
    const results = await through(options, [0, 1, 2].map((second) => answerAt(second * 1000, 'Yes.')))
    expect(results.find(({ kind }) => kind === 'alert')).toMatchObject({ alert: { since: { ptsMs: 0 } } })
  })

  test('`heartbeatMs` tells a raised alert again with the same `since`, and never a cleared one', async () => {
    const options = { ...door, heartbeatMs: 2000 }
    expect(await alertsOf(options, 'nnnnyyyyynnnn')).toEqual(['raised 4000', 'raised 6000', 'raised 8000', 'cleared 9000'])
    const results = await through(options, [0, 2000].map((endMs) => answerAt(endMs, 'Yes.')))
    const alerts = results.filter(({ kind }) => kind === 'alert')
    expect(alerts.map((result) => result.kind === 'alert' && result.alert.since.ptsMs)).toEqual([0, 0])
    expect(new Set(alerts.map(({ id }) => id)).size).toBe(2)
  })

  test('nothing is cleared that was never raised', async () => {
    expect(await alertsOf(door, 'nnn')).toEqual([])
  })

  test('stays raised over epochs; what waits starts anew', async () => {
    const results = [
      answerAt(0, 'Yes.'),
      answerAt(1000, 'No.'),
      inEpoch(1, answerAt(2000, 'No.')),
      inEpoch(1, answerAt(3000, 'No.')),
    ]
    const emitted = await through({ ...door, clearAfterMs: 1000 }, results)
    expect(summary(emitted)).toEqual(['raised 0', 'cleared 3000'])
    expect(emitted.at(-2)).toMatchObject({ alert: { state: 'cleared', since: { epoch: 1, ptsMs: 2000 } } })
  })

  test('looks at the questions it is told, each by itself', async () => {
    const ask = (endMs: number, question: string, text: string) => answerAt(endMs, text, { question })
    const results = [ask(0, 'Door?', 'Yes.'), ask(0, 'Gate?', 'No.'), ask(0, 'Colour?', 'Yes.')]
    expect(await through({ ...door, questions: 'Door?' }, results)).toHaveLength(4)
    expect(await through({ ...door, questions: ['Gate?'] }, results)).toEqual(results)
    expect(await through(door, results)).toHaveLength(5)
  })

  test('a pattern with `g` matches every time, and a function decides too', async () => {
    expect(await alertsOf({ ...door, when: /yes/gi }, 'yyyy')).toEqual(['raised 0'])
    expect(await alertsOf({ ...door, when: ({ answer }) => answer === 'No.' }, 'yn')).toEqual(['raised 1000'])
  })

  test('error results decide nothing', async () => {
    const results = [answerAt(0, 'Yes.'), errorAt(1000), answerAt(2000, 'Yes.')]
    expect(summary(await through(door, results))).toEqual(['raised 0'])
  })

  test('two conditions, one behind the other', async () => {
    const results = [answerAt(0, 'Yes.')]
    const both = from(results).pipe(alert(door), alert({ name: 'gate', when: /yes/i }), toArray())
    expect((await lastValueFrom(both)).map(({ kind }) => kind)).toEqual(['alert', 'alert', 'answer'])
  })

  test('raised and cleared take turns, and the answers stay as they are', async () => {
    const answers = fc.array(fc.constantFrom('Yes.', 'No.'))
    const holds = fc.record({ holdMs: fc.integer({ min: 0, max: 3000 }), clearAfterMs: fc.integer({ min: 0, max: 3000 }) })
    await fc.assert(
      fc.asyncProperty(answers, holds, async (texts, times) => {
        const results = texts.map((text, second) => answerAt(second * 1000, text))
        const emitted = await through({ ...door, ...times }, results)
        expect(emitted.filter(({ kind }) => kind === 'answer')).toEqual(results)
        const states = emitted.flatMap((result) => (result.kind === 'alert' ? [result.alert.state] : []))
        expect(states).toEqual(states.map((_, place) => (place % 2 === 0 ? 'raised' : 'cleared')))
      }),
    )
  })

  test.each([
    [{}, '`when`'],
    [{ when: 'yes' }, '`when`: Expected a pattern or a function'],
    [{ ...door, name: ' ' }, '`name`'],
    [{ ...door, holdMs: -1, clearAfterMs: '5' }, '`clearAfterMs`'],
    [{ ...door, heartbeatMs: 0 }, '`heartbeatMs`'],
    [{ ...door, questions: [] }, '`questions`'],
  ])('refuses %o', (options, message) => {
    expect(() => alert(options as AlertOptions)).toThrow(
      expect.objectContaining({ code: 'SETTING_INVALID', message: expect.stringContaining(message) as unknown }),
    )
  })
})

/** Marbles as they come out in JSON: what is known beside the envelope has its own test. */
function toJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value))
}
