import { expect, test } from 'vitest'

import { linesOf } from '../../../src/sources/decoding/lines.js'

async function read(text: string, length: number): Promise<string[]> {
  const bytes = Buffer.from(text)
  const chunks = async function* () {
    await Promise.resolve()
    for (let place = 0; place < bytes.length; place += length) yield bytes.subarray(place, place + length)
  }
  const lines: string[] = []
  for await (const line of linesOf(chunks())) lines.push(line)
  return lines
}

test.each([1, 2, 3, 5, 100])('cuts lines however the bytes are cut (%i at a time)', async (length) => {
  expect(await read('one\n\nzwölf €\nlast', length)).toEqual(['one', '', 'zwölf €', 'last'])
})

test('gives no line for no bytes and none behind the last break', async () => {
  expect(await read('', 1)).toEqual([])
  expect(await read('one\n', 2)).toEqual(['one'])
})
