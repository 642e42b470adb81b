import fc from 'fast-check'
import { Subject, from, lastValueFrom, toArray } from 'rxjs'
import type { OperatorFunction } from 'rxjs'
import { TestScheduler } from 'rxjs/testing'
import { describe, expect, test } from 'vitest'

import type { Answer, Result } from '../../src/envelope.js'
import { jsonField, normaliseText, onChange } from '../../src/operators/on-change.js'
import { answerAt, errorAt, inEpoch } from './answers.js'

const run = (test: Parameters<TestScheduler['run']>[0]) =>
  new TestScheduler((actual, expected) => {
    expect(actual).toEqual(expected)
  }).run(test)

const through = (operator: OperatorFunction<Result, Result>, results: readonly Result[]) =>
  lastValueFrom(from(results).pipe(operator, toArray()))

/** The media times of the answers that come through, where one is given each second. */
const timesOf = async (operator: OperatorFunction<Result, Result>, texts: readonly string[]) =>
  (await through(operator, texts.map((text, second) => answerAt(second * 1000, text)))).map(({ clip }) => clip.endMs)

describe('onChange', () => {
  test('emits what differs from the last emitted answer, at once', () => {
    const values = { a: answerAt(0, 'Red.'), b: answerAt(1000, ' red'), c: answerAt(2000, 'Blue.'), d: answerAt(3000, 'RED!') }
    run(({ hot, expectObservable, expectSubscriptions }) => {
      const source = hot<Result>('-a-b-c-d-|', values)
      expectObservable(source.pipe(onChange())).toBe('-a---c-d-|', values)
      expectSubscriptions(source.subscriptions).toBe('^--------!')
    })
  })

  test('an error passes; so do error results and alerts, which change nothing', () => {
    const values = { a: answerAt(0, 'Red.'), e: errorAt(1000), b: answerAt(2000, 'Red.') }
    run(({ hot, expectObservable }) => {
      expectObservable(hot<Result>('-a-e-e-b-#', values).pipe(onChange())).toBe('-a-e-e---#', values)
    })
  })

  test('the marbles of its document', async () => {
    const texts = ['a', 'a', 'b', 'a', 'b', 'b', 'b']
    expect(await timesOf(onChange(), texts)).toEqual([0, 2000, 3000, 4000])
    expect(await timesOf(onChange({ holdMs: 2000 }), texts)).toEqual([6000])
  })

  test('a new answer counts once it has lasted for `holdMs` of media time, not earlier', async () => {
    expect(await timesOf(onChange({ holdMs: 2000 }), ['a', 'a', 'a', 'b', 'b', 'a', 'b', 'b', 'b'])).toEqual([2000, 8000])
  })

  test('an unchanged answer comes again after `heartbeatMs` of media time', async () => {
    expect(await timesOf(onChange({ heartbeatMs: 2000 }), ['a', 'a', 'a', 'a', 'b', 'b', 'b'])).toEqual([0, 2000, 4000, 6000])
  })

  test('times are compared in whole microseconds', async () => {
    const results = [answerAt(0.1, 'a'), answerAt(0.1 + 0.2, 'a')]
    expect(await through(onChange({ holdMs: 0.2 }), results)).toHaveLength(1)
  })

  test('each question of each stream is followed by itself', async () => {
    const other = { question: 'Who?' }
    const elsewhere = { source: { id: 'other', kind: 'file', epoch: 0 } }
    const results = [{}, other, elsewhere, {}, other, elsewhere].map((change) => answerAt(0, 'Red.', change))
    expect(await through(onChange(), results)).toEqual(results.slice(0, 3))
  })

  test('forgets the question that was answered longest ago beyond 1,024 of them', async () => {
    const asked = (place: number) => answerAt(0, 'Red.', { question: `Question ${place}?` })
    const all = Array.from({ length: 1025 }, (_, place) => asked(place))
    const emitted = await through(onChange(), [...all, asked(1024), asked(1), asked(0)])
    expect(emitted).toEqual([...all, asked(0)])
  })

  test('a new epoch is no change, but a value that waits must last anew', async () => {
    const held = onChange({ holdMs: 1000 })
    const emitted = await through(held, [
      answerAt(0, 'a'),
      answerAt(1000, 'a'),
      answerAt(2000, 'b'),
      inEpoch(1, answerAt(3000, 'b')),
      inEpoch(1, answerAt(3500, 'b')),
      inEpoch(1, answerAt(4000, 'b')),
      inEpoch(2, answerAt(0, 'b')),
      inEpoch(2, answerAt(5000, 'b')),
    ])
    expect(emitted.map(({ source, clip }) => [source.epoch, clip.endMs])).toEqual([
      [0, 1000],
      [1, 4000],
    ])
  })

  test('the time to a heartbeat goes on over epochs, gaps not counted', async () => {
    const results = [0, 1, 2, 3].flatMap((epoch) => [0, 800].map((endMs) => inEpoch(epoch, answerAt(endMs, 'a'))))
    const emitted = await through(onChange({ heartbeatMs: 2000 }), results)
    expect(emitted.map(({ source, clip }) => [source.epoch, clip.endMs])).toEqual([
      [0, 0],
      [2, 800],
    ])
  })

  test('compares by content what a function picks', async () => {
    const by = ({ answer }: Answer) => ({ parts: answer.split(' ').sort() })
    expect(await timesOf(onChange({ by }), ['red blue', 'blue red', 'Blue red'])).toEqual([0, 2000])
  })

  test('compares a field of answers in JSON, and texts where there is none', async () => {
    const texts = ['{"person":{"count":1}}', '{"person":{"count":1},"note":"x"}', '{"person":null}', '{}', 'None.', 'none']
    expect(await timesOf(onChange({ by: jsonField('person.count') }), texts)).toEqual([0, 2000, 4000])
  })

  test('a function of the user that throws ends the output', () => {
    const mistake = new TypeError('a mistake')
    const by = () => {
      throw mistake
    }
    run(({ hot, expectObservable }) => {
      expectObservable(hot<Result>('-a-|', { a: answerAt(0, '') }).pipe(onChange({ by }))).toBe('-#', undefined, mistake)
    })
  })

  test('each subscription starts anew, and leaves its source', async () => {
    const operator = onChange()
    const results = [answerAt(0, 'Red.')]
    expect(await through(operator, results)).toEqual(results)
    expect(await through(operator, results)).toEqual(results)
    const source = new Subject<Result>()
    source.pipe(operator).subscribe().unsubscribe()
    expect(source.observed).toBe(false)
  })

  test('never emits the same answer twice in a row, and always the last that counts', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1 }), async (texts) => {
        const results = texts.map((text, second) => answerAt(second * 1000, text))
        const emitted = (await through(onChange(), results)).map((result) => (result as Answer).answer)
        expect(emitted).toEqual(texts.filter((text, place) => text !== texts[place - 1]))
      }),
    )
  })

  test('with a hold, emits exactly where a run of equal answers has lasted so long', async () => {
    const answers = fc.array(fc.tuple(fc.constantFrom('a', 'b'), fc.integer({ min: 1, max: 3 })), { minLength: 1 })
    await fc.assert(
      fc.asyncProperty(answers, fc.integer({ min: 0, max: 5 }), async (steps, holdMs) => {
        const results = toTimeline(steps)
        const emitted = await through(onChange({ holdMs }), results)
        expect(emitted).toEqual(expectedChanges(results, holdMs))
      }),
    )
  })

  test.each([
    [{ holdMs: -1 }, '`holdMs`'],
    [{ heartbeatMs: 0 }, '`heartbeatMs`'],
    [{ by: 'answer' }, "Expected 'text' or a function"],
    [{ normalise: 'lower' }, 'Expected a function'],
    [{ by: () => 1, normalise: (text: string) => text }, '`normalise`'],
    [{ hold: 5 }, 'hold'],
  ])('refuses %o', (options, message) => {
    expect(() => onChange(options as Parameters<typeof onChange>[0])).toThrow(
      expect.objectContaining({ code: 'SETTING_INVALID', message: expect.stringContaining(message) as unknown }),
    )
  })
})

/** Answers whose times grow by the second number of each step. */
function toTimeline(steps: readonly (readonly [string, number])[]): readonly Answer[] {
  let endMs = 0
  return steps.map(([text, stepMs]) => answerAt((endMs += stepMs), text))
}

/** The rule written down another way: look back from each answer to where its run of equal ones began. */
function expectedChanges(answers: readonly Answer[], holdMs: number): readonly Answer[] {
  const emitted: Answer[] = []
  for (const [place, current] of answers.entries()) {
    const before = answers.slice(0, place).findLastIndex(({ answer }) => answer !== current.answer)
    const began = answers[before + 1] ?? current
    const hasLasted = current.clip.endMs - began.clip.endMs >= holdMs
    if (hasLasted && emitted.at(-1)?.answer !== current.answer) emitted.push(current)
  }
  return emitted
}

test.each([
  [' Yes, \n they   are. ', 'yes, they are'],
  ['ＹＥＳ！', 'yes'],
  ['...', ''],
  ['3.5', '3.5'],
])('normaliseText(%j)', (text, normalised) => {
  expect(normaliseText(text)).toBe(normalised)
})
