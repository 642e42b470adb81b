import { describe, expect, test } from 'vitest'

import { FrozenPicture, fingerprint } from '../../../src/sources/live/frozen.js'

const picture = (value: number, length = 64 * 48 * 3): Uint8Array => new Uint8Array(length).fill(value)

describe('FrozenPicture', () => {
  test('says once that a picture has stayed for so long', () => {
    const frozen = new FrozenPicture(1000)
    const said = [0, 500, 999, 1000, 1500, 9000].map((ptsMs) => frozen.isFrozen({ data: picture(1), ptsMs }))
    expect(said).toEqual([false, false, false, true, false, false])
  })

  test('counts from the last picture that was another', () => {
    const frozen = new FrozenPicture(1000)
    frozen.isFrozen({ data: picture(1), ptsMs: 0 })
    frozen.isFrozen({ data: picture(2), ptsMs: 800 })
    expect(frozen.isFrozen({ data: picture(2), ptsMs: 1500 })).toBe(false)
    expect(frozen.isFrozen({ data: picture(2), ptsMs: 1800 })).toBe(true)
  })

  test('does not say it again after a reconnect, until something moved', () => {
    const frozen = new FrozenPicture(1000)
    const see = (value: number, ptsMs: number) => frozen.isFrozen({ data: picture(value), ptsMs })
    expect([see(1, 0), see(1, 1000)]).toEqual([false, true])
    frozen.restart()
    expect([see(1, 0), see(1, 1000), see(1, 60_000)]).toEqual([false, false, false])
    expect([see(2, 61_000), see(1, 61_040), see(1, 62_040)]).toEqual([false, false, true])
  })
})

describe('fingerprint', () => {
  test('sees a clock change in the corner of a large picture', () => {
    const [width, height] = [1920, 1080]
    const still = picture(100, width * height * 3)
    const ticked = Uint8Array.from(still)
    for (let row = 20; row < 50; row++) ticked.fill(255, (row * width + 20) * 3, (row * width + 120) * 3)
    expect(fingerprint(ticked)).not.toBe(fingerprint(still))
    expect(fingerprint(Uint8Array.from(still))).toBe(fingerprint(still))
  })

  test('tells pictures of different size apart', () => {
    expect(fingerprint(picture(0, 12))).not.toBe(fingerprint(picture(0, 15)))
  })
})
