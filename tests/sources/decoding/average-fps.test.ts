import { expect, test } from 'vitest'

import { averageFps } from '../../../src/sources/decoding/average-fps.js'
import type { PacketList } from '../../../src/sources/decoding/packets.js'

function packetsOf(totalPackets: number, { ticks, denominator }: { ticks: number; denominator: number }): PacketList {
  return {
    timeBase: { numerator: 1, denominator },
    ...{ pixels: 0, pts: [], dts: [], keyPts: [], keyDts: [], endSeconds: 0, isLastCut: false },
    totalPackets,
    totalDuration: ticks,
  }
}

const header = { startSeconds: 0, durationSeconds: undefined, printedBaseRate: undefined }
const [mov, matroska] = ['mov,mp4,m4a,3gp,3g2,mj2', 'matroska,webm']

test.each([
  ['mp4, variable', mov, packetsOf(72, { ticks: 453_600, denominator: 90_000 }), 14.29, 100 / 7],
  ['mp4, nearly 25', mov, packetsOf(1000, { ticks: 511_950, denominator: 12_800 }), 25, 12_800_000 / 511_950],
  ['mp4, 29.97', mov, packetsOf(150, { ticks: 150_150, denominator: 30_000 }), 29.97, 30_000 / 1001],
  ['mkv, 23.976', matroska, packetsOf(100, { ticks: 4171, denominator: 1000 }), 23.98, 24_000 / 1001],
  ['mkv, 29.97', matroska, packetsOf(150, { ticks: 4950, denominator: 1000 }), 29.97, 30_000 / 1001],
  ['mkv, 12.5', matroska, packetsOf(150, { ticks: 11_990, denominator: 1000 }), 12.5, 12.5],
  ['mkv, packets of no length', matroska, packetsOf(150, { ticks: 0, denominator: 1000 }), 50, 50],
  ['no rate printed', matroska, packetsOf(150, { ticks: 5000, denominator: 1000 }), undefined, 30],
  ['no rate at all', matroska, packetsOf(150, { ticks: 0, denominator: 1000 }), undefined, 25],
] as const)('%s', (_, format, packets, printedFps, expected) => {
  expect(averageFps(packets, { ...header, format, printedFps })).toBe(expected)
})
