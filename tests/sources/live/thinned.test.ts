import { expect, test } from 'vitest'

import { ThinnedEstimate } from '../../../src/sources/live/thinned.js'

test('counts what was announced and did not come, over all connections', () => {
  const thinned = new ThinnedEstimate()
  expect(thinned.estimate).toBe(0)
  thinned.restart()
  thinned.add(0)
  expect(thinned.estimate).toBe(0)
  thinned.announceFps(25)
  thinned.add(1000)
  thinned.add(2000)
  expect(thinned.estimate).toBe(51 - 3)

  thinned.restart()
  thinned.announceFps(10)
  for (let place = 0; place < 12; place++) thinned.add(place * 90)
  expect(thinned.estimate).toBe(48)
})
