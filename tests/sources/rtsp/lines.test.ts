import { expect, test } from 'vitest'

import { liveSignOf } from '../../../src/sources/rtsp/lines.js'

const nonMonotonous = (previous: number, current: number) =>
  `[nut @ 0x55] [warning] Non-monotonous DTS in output stream 0:0; previous: ${previous}, current: ${current}; changing to 1.`

test.each([
  ['[graph 0 input from stream 0:0 @ 0x5] [warning] Changing video frame properties on the fly is not supported by all filters.', 'size-changed'],
  ['[rtsp @ 0x5] [info] Status 302: Redirecting to rtsp://***@camera/live', 'redirected'],
  [nonMonotonous(9_000_000, 90), 'time-went-back'],
  ['[vost#0:0/rawvideo @ 0x5] [warning] Non-monotonic DTS; previous: 900000, current: -5; changing to 900001.', 'time-went-back'],
  [nonMonotonous(43_200, 43_200), undefined],
  [nonMonotonous(43_200, 42_000), undefined],
  ['[info] Input #0, rtsp, from \'rtsp://camera/live\':', undefined],
  ['[warning] rtsp://camera/live: corrupt decoded frame in stream 0', undefined],
] as const)('%s', (line, sign) => {
  expect(liveSignOf(line)).toBe(sign)
})
