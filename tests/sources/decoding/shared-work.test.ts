import { describe, expect, test } from 'vitest'

import { SharedWork } from '../../../src/sources/decoding/shared-work.js'

/** Work that ends when it is told to, and notes each begin and stop. */
function madeUpWork() {
  const [ends, stops]: [{ well: () => void; badly: (error: Error) => void }[], number[]] = [[], []]
  const begin = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const place = ends.push({ well: resolve, badly: reject }) - 1
      signal.addEventListener('abort', () => {
        stops.push(place)
        reject(new Error('stopped'))
      })
    })
  return { ends, stops, begin }
}

const { signal } = new AbortController()
const what = 'A look'

describe('SharedWork', () => {
  test('is done once for all who wait, and for those who come later', async () => {
    const { ends, begin } = madeUpWork()
    const work = new SharedWork()
    const both = [1, 2].map(() => work.wait('one', { begin, signal, what }))
    ends[0]?.well()
    await Promise.all(both)
    await work.wait('one', { begin, signal, what })
    expect(ends).toHaveLength(1)
  })

  test('fails for all who wait, and is done anew for those who come later', async () => {
    const { ends, begin } = madeUpWork()
    const work = new SharedWork()
    const both = [1, 2].map(() => work.wait('one', { begin, signal, what }))
    ends[0]?.badly(new Error('broken'))
    expect(await Promise.allSettled(both)).toMatchObject([1, 2].map(() => ({ reason: { message: 'broken' } })))
    const later = work.wait('one', { begin, signal, what })
    ends[1]?.well()
    await later
    expect(ends).toHaveLength(2)
  })

  test('goes on for the others when one stops waiting, and is stopped with the last', async () => {
    const { ends, stops, begin } = madeUpWork()
    const work = new SharedWork()
    const [one, other] = [new AbortController(), new AbortController()]
    const first = work.wait('one', { begin, signal: one.signal, what })
    const second = work.wait('one', { begin, signal: other.signal, what })
    one.abort()
    await expect(first).rejects.toMatchObject({ code: 'ABORTED', message: 'A look was stopped before it finished.' })
    expect(stops).toEqual([])
    other.abort()
    await expect(second).rejects.toMatchObject({ code: 'ABORTED' })
    expect(stops).toEqual([0])

    const later = work.wait('one', { begin, signal, what })
    ends[1]?.well()
    await later
  })

  test('is not begun for who has stopped already', async () => {
    const { ends, begin } = madeUpWork()
    await expect(new SharedWork().wait('one', { begin, signal: AbortSignal.abort(), what })).rejects.toMatchObject({ code: 'ABORTED' })
    expect(ends).toEqual([])
  })
})
