import { Subject } from 'rxjs'
import { expect, test } from 'vitest'

import { createLedger } from '../../../src/ledger.js'
import { whileResumed } from '../../../src/sources/live/pause.js'
import { settled } from '../../operators/fakes.js'

test('leaves the source while the stream is paused', async () => {
  const ledger = createLedger()
  const source = new Subject<number>()
  const seen: number[] = []
  const subscription = source.pipe(whileResumed(ledger)).subscribe((value) => seen.push(value))
  source.next(1)

  ledger.pause()
  await settled()
  expect(source.observed).toBe(false)
  source.next(2)

  ledger.resume()
  await settled()
  source.next(3)
  expect(seen).toEqual([1, 3])

  subscription.unsubscribe()
  expect(source.observed).toBe(false)
})

test('opens nothing for a stream that is paused from the start, and passes errors on', async () => {
  const ledger = createLedger()
  ledger.pause()
  const source = new Subject<number>()
  const errors: unknown[] = []
  source.pipe(whileResumed(ledger)).subscribe({ error: (error: unknown) => errors.push(error) })
  await settled()
  expect(source.observed).toBe(false)
  ledger.resume()
  await settled()
  source.error('lost')
  expect(errors).toEqual(['lost'])
})
