import { expect, test } from 'vitest'

import { FULL_SIZE } from '../../../scripts/bench/checkpoint/geometry.js'
import { clipRows } from '../../../scripts/bench/clip-rows.js'
import type { ClipTimes } from '../../../scripts/bench/clip-times.js'
import { formatRows } from '../../../scripts/bench/measure.js'
import { growthRows } from '../../../scripts/bench/streams.js'
import { textRows } from '../../../scripts/bench/text-rows.js'
import { towerRows } from '../../../scripts/bench/vision-tower.js'

const clip = (whole: number, peakBytes: number): ClipTimes => ({ tower: whole / 2, connector: 1, prefill: 1, decode: 1, whole, peakBytes })
const ours = { name: 'ours', outcome: { kind: 'done', result: clip(10, 4e9) } } as const

test('a clip: how many times as fast, whole and by parts, and the share of memory', () => {
  const theirs = { name: 'theirs', outcome: { kind: 'done', result: clip(30, 16e9) } } as const
  const rows = clipRows(ours, theirs, { whole: { atLeast: 3 }, memory: { atMost: 0.5 } })
  expect(rows.map(({ ratio }) => ratio)).toEqual([3, 3, 1, 1, 1, 0.25])
  expect(rows.flatMap(({ goal }) => (goal === undefined ? [] : [goal]))).toEqual([{ atLeast: 3 }, { atMost: 0.5 }])
})

test('a clip that was stopped at its limit is compared by the time it had, one that was not ready or failed not at all', () => {
  const [late] = clipRows(ours, { name: 'theirs', outcome: { kind: 'late', seconds: 360, runSeconds: 300 } })
  expect(late).toMatchObject({ ratio: 30, isLeast: true, against: 'stopped after 300.0 s' })
  const [unready] = clipRows(ours, { name: 'theirs', outcome: { kind: 'late', seconds: 360 } })
  expect(unready).toMatchObject({ ratio: NaN, against: 'not ready after 360.0 s' })
  expect(clipRows(ours, { name: 'theirs', outcome: { kind: 'failed', why: 'no room' } })).toEqual([
    { what: 'clip, theirs', figure: 'not measured', against: 'no room', ratio: NaN },
  ])
})

test('a clip that was stopped at its limit meets its goal or leaves it open, and misses none', () => {
  const verdictAfter = (runSeconds: number) => {
    const theirs = { name: 'theirs', outcome: { kind: 'late', seconds: 360, runSeconds } } as const
    return formatRows(clipRows(ours, theirs, { whole: { atLeast: 3 } })).trimEnd().split(' | ').at(-1)
  }
  expect(verdictAfter(30)).toBe('>= 3, met |')
  expect(verdictAfter(20)).toBe('>= 3, open |')
})

test('a text: tokens a second before the first generated one and after it', () => {
  const side = (name: string, prefill: number, decode: number) =>
    ({ name, outcome: { kind: 'done', result: { prefill, decode, peakBytes: 1e9 } } }) as const
  const [prefill, decode] = textRows(side('ours', 10, 6.3), side('theirs', 20, 12.6), { prompt: 600, tokens: 64 })
  expect(prefill).toMatchObject({ figure: '60.0 tokens/s', against: '30.0 tokens/s', ratio: 2 })
  expect(decode).toMatchObject({ figure: '10.0 tokens/s', against: '5.0 tokens/s', ratio: 2 })
})

test('the tower is held against the fastest matrix product', () => {
  // 0.64 TFLOP in 4 s are 160 GFLOP/s; eight products of 1024 in 0.1 s are 172.
  const times = { 'fp32': 4000, 'int8': 2000, 'int8-dynamic': 1000, '512': 100, '1024': 100 }
  const [share, int8, dynamic] = towerRows(times, { tower: FULL_SIZE.tower, threads: 2, peakSizes: [512, 1024] })
  expect(share?.ratio).toBeCloseTo(0.934, 3)
  expect(int8?.ratio).toBe(2)
  expect(dynamic?.ratio).toBe(4)
})

test('streams: what an answer costs with many of them, and what each adds to memory', () => {
  const cost = (cpuSeconds: number, answers: number, peakBytes: number) => ({ mediaSeconds: 1, cpuSeconds, answers, peakBytes, loopDelayMs: 5 })
  const [cpu, memory, delay] = growthRows({ few: 1, many: 11, least: cost(1, 10, 200e6), most: cost(11, 100, 210e6) })
  expect(cpu?.ratio).toBeCloseTo(1.1)
  expect(memory?.figure).toBe('210 MB, 1.00 MB a stream')
  expect(delay?.ratio).toBe(0.5)
})
