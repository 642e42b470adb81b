import { describe, expect, test } from 'vitest'

import { LIST_PACKETS_OPTIONS, type PacketList, readPackets } from '../../../src/sources/decoding/packets.js'
import { MediaFolder, ffmpegSync } from '../helpers/media.js'

const media = new MediaFolder()
const HEAD = '#tb 0: 1/12800\n#dimensions 0: 640x360\n#tb 1: 1/48000\n'

async function* lines(text: string): AsyncGenerator<string> {
  await Promise.resolve()
  yield* text.split('\n')
}

function read(packets: string): Promise<PacketList> {
  return readPackets(lines(HEAD + packets))
}

describe('readPackets', () => {
  test('reads times, keyframes and size', async () => {
    const list = await read(
      '0,      -1024,          0,      512,    41276, 0x09ae04ce\n' +
        '0,       -512,       1536,      512,     1298, 0x8e758092, F=0x0\n' +
        '0,          0,        512,      512,      355, 0x1af6ac52, F=0x0\n',
    )
    expect(list).toEqual({
      timeBase: { numerator: 1, denominator: 12800 },
      pixels: 640 * 360,
      pts: [0, 1536, 512],
      dts: [-1024, -512, 0],
      keyPts: [0],
      keyDts: [-1024],
      totalDuration: 1536,
      totalPackets: 3,
      endSeconds: 2048 / 12800,
      isLastCut: false,
    })
  })

  test('leaves out what is never shown, but knows its keyframes', async () => {
    const list = await read(
      '0, -1024, -512, 512, 41276, 0x09ae04ce, F=0x5\n' +
        '0, -512, -100, 512, 1298, 0x8e758092, F=0x4\n' +
        '0, 0, 0, 512, 355, 0x1af6ac52, F=0x0\n',
    )
    expect(list).toMatchObject({ pts: [0], keyPts: [-512], totalPackets: 3 })
  })

  test('leaves out a last picture that is only a part', async () => {
    const list = await read('0, 0, 0, 512, 9, 0x09ae04ce\n0, 512, 512, 512, 9, 0x09ae04ce, F=0x2\n')
    expect(list).toMatchObject({ pts: [0], dts: [0], isLastCut: true })
  })

  test('keeps the place of a picture that is damaged in the middle', async () => {
    const list = await read('0, 0, 0, 512, 9, 0x09ae04ce, F=0x3\n0, 512, 512, 512, 9, 0x09ae04ce, F=0x0\n')
    expect(list).toMatchObject({ pts: [0, 512], isLastCut: false })
  })

  test('has no times of display where one picture has none', async () => {
    const list = await read('0, 0, -9223372036854775808, 1, 9, 0x1\n0, 1, 1, 1, 9, 0x1, F=0x0\n')
    expect(list).toMatchObject({ pts: undefined, dts: [0, 1], keyPts: [] })
  })

  test('counts sound for the end alone', async () => {
    const list = await read('0, 0, 0, 512, 9, 0x1\n1, 95000, 95000, 1000, 9, 0x1\n')
    expect(list).toMatchObject({ totalPackets: 1, endSeconds: 2 })
  })

  test('reads what newer versions of ffmpeg add behind the flags', async () => {
    const list = await read('0, 0, 0, 512, 9, 0x1, F=0x0, S=1, MPEGTS Stream ID,        1, 0x00e000e0\n')
    expect(list).toMatchObject({ pts: [0], keyPts: [] })
  })

  test('is empty for no packets', async () => {
    expect(await read('')).toMatchObject({ totalPackets: 0, pts: [], endSeconds: -Infinity })
  })
})

test('an edit list hides pictures that are in the file', async () => {
  const path = media.kind('edit-list.mp4')
  const list = await readPackets(lines(ffmpegSync(['-copyts', '-i', path, ...LIST_PACKETS_OPTIONS, '-']).toString()))
  expect(list.pts?.length).toBeGreaterThan(80)
  expect(list.totalPackets).toBeGreaterThan(list.dts.length)
})
