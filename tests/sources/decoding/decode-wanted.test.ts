import { describe, expect, test } from 'vitest'

import { linspaceIndices } from '../../../src/sampling/linspace.js'
import { uniform } from '../../../src/sampling/uniform.js'
import { decodePlan } from '../../../src/sources/decoding/decode-plan.js'
import { decodeWanted } from '../../../src/sources/decoding/decode-wanted.js'
import { file } from '../../../src/sources/file.js'
import { type DecodeJob, planDecoding } from '../../../src/sources/decoding/seek-plan.js'
import { VideoHealth } from '../../../src/sources/decoding/video-health.js'
import { type VideoTrack, readVideoTrack } from '../../../src/sources/decoding/video-track.js'
import { md5, readAll } from '../helpers/frames.js'
import { BUNNY, MediaFolder, fullDecodeHashes } from '../helpers/media.js'

const media = new MediaFolder()
const { signal } = new AbortController()

const READ_FROM_FURTHER_BACK = "Some pictures can't be decoded right after a seek: they were read from further back."
const DAMAGED = 'The file is damaged: some of the wanted pictures could not be decoded.'

/** How a decoder can find its feet after a seek. */
const CODINGS = {
  'intra-refresh': 'intra-refresh=1:keyint=25:bframes=3',
  'open GOPs': 'open-gop=1:keyint=25:bframes=3',
  'closed GOPs': 'keyint=25:bframes=3',
} as const
type Coding = keyof typeof CODINGS

function made(coding: Coding, extension = 'mp4'): string {
  const options = ['-c:v', 'libx264', '-preset', 'ultrafast', '-x264-params', CODINGS[coding]]
  const path = media.make(`${coding}.mp4`, ['-i', BUNNY, ...options])
  return extension === 'mp4' ? path : media.make(`${coding}.${extension}`, ['-i', path, '-c', 'copy'])
}

/** What decoding the jobs of a plan gives and says; each picture has to be that of a full decode. */
async function decode(track: VideoTrack, jobs: readonly DecodeJob[], fullDecode: readonly string[]) {
  const health = new VideoHealth()
  health.begin(track, jobs)
  const indices: number[] = []
  for await (const { index, data } of decodeWanted(track, { jobs, keyframesOnly: false }, { health, signal })) {
    expect(md5(data)).toBe(fullDecode[index])
    indices.push(index)
  }
  return { indices, health: health.health() }
}

describe.each(['mp4', 'ts', 'mkv'])('pictures of a .%s that are each sought', (extension) => {
  test.each(Object.keys(CODINGS) as Coding[])('with %s are those of a full decode, in order, and no damage', async (coding) => {
    const path = made(coding, extension)
    const track = await readVideoTrack(path, signal)
    const wanted = linspaceIndices(track.ticks.length, 5)
    const jobs = planDecoding(track, wanted, { startCost: -Infinity })
    expect(jobs.some(({ seekSeconds }) => seekSeconds !== undefined)).toBe(true)
    const { indices, health } = await decode(track, jobs, fullDecodeHashes(path))
    expect(indices).toEqual(wanted)
    expect(health.coverage).toBe(1)
    expect(health.warnings.filter((warning) => warning !== READ_FROM_FURTHER_BACK)).toEqual([])
    if (coding !== 'intra-refresh') expect(health.warnings).toEqual([])
  })
})

describe('a picture that can’t be had, in a file that is worth seeking in', () => {
  /** Remembers what is decoded once more. */
  class NotingHealth extends VideoHealth {
    readonly again: (readonly DecodeJob[])[] = []

    override readAgain(jobs: readonly DecodeJob[], warning: string): void {
      this.again.push(jobs)
      super.readAgain(jobs, warning)
    }
  }

  test.each([
    ['in the middle', 501, [0, 250, 501, 750, 990], -Infinity],
    ['at the end', 1000, [0, 250, 500, 750, 1000], -Infinity],
    ['right after the only seek', 501, [501, 510, 520, 530, 540], Infinity],
  ])('%s is passed over without going through all of it', async (_, broken, wanted, startCost) => {
    const path = media.loop('long-closed.mp4', { source: made('closed GOPs'), times: 8 })
    const whole = await readVideoTrack(path, signal)
    expect(whole.ticks).toHaveLength(1000)
    // A picture that the file doesn't have.
    const ticks = whole.ticks.toSpliced(broken, 0, (whole.ticks[broken - 1] ?? 0) + 1)
    const jobs = planDecoding({ ...whole, ticks }, wanted, { startCost })
    const health = new NotingHealth()
    health.begin(whole, jobs)
    const [indices, hashes]: [number[], string[]] = [[], []]
    for await (const { index, data } of decodeWanted({ ...whole, ticks }, { jobs, keyframesOnly: false }, { health, signal })) {
      indices.push(index)
      hashes.push(md5(data))
    }
    const had = wanted.filter((index) => index !== broken)
    expect(indices).toEqual(had)
    const fullDecode = fullDecodeHashes(path)
    expect(hashes).toEqual(had.map((index) => fullDecode[index < broken ? index : index - 1]))
    expect(health.health()).toEqual({ coverage: 0.8, warnings: [READ_FROM_FURTHER_BACK, DAMAGED] })
    expect(health.again).toHaveLength(1)
    expect(health.again.flat().every(({ seekSeconds }) => seekSeconds !== undefined)).toBe(true)
  })
})

describe('intra-refresh that takes longer than its keyframes are apart', () => {
  /** Long enough for seeking to be worth while. */
  const long = (): string => media.loop('long.mp4', { source: made('intra-refresh'), times: 8 })
  const wanted = linspaceIndices(1000, 4)

  test('is not had by the usual seek: else the tests below look at nothing', async () => {
    const track = await readVideoTrack(long(), signal)
    const jobs = planDecoding(track, wanted)
    expect(jobs.filter(({ seekSeconds }) => seekSeconds !== undefined).length).toBeGreaterThan(1)
    const indices: number[] = []
    for await (const { index } of decodePlan(track, jobs, { observer: new VideoHealth(), signal })) indices.push(index)
    expect(indices.length).toBeLessThan(wanted.length)
  })

  test('is read from further back, and says so', async () => {
    const path = long()
    const { frames, info } = await readAll(file(path, { sampling: uniform(4) }))
    const hashes = fullDecodeHashes(path)
    expect(frames.map(({ index }) => index)).toEqual(wanted)
    expect(frames.map(({ index, data }) => hashes[index] === md5(data))).toEqual([true, true, true, true])
    expect(info.health()).toEqual({ coverage: 1, warnings: [READ_FROM_FURTHER_BACK] })
  })

  test('comes as often as it is wanted, once', async () => {
    const path = made('intra-refresh')
    const track = await readVideoTrack(path, signal)
    const jobs = planDecoding(track, [10, 110, 110, 120], { startCost: -Infinity })
    const health = new VideoHealth()
    health.begin(track, jobs)
    const given: [number, number][] = []
    for await (const { index, times } of decodeWanted(track, { jobs, keyframesOnly: false }, { health, signal })) given.push([index, times])
    expect(given).toEqual([[10, 1], [110, 2], [120, 1]])
  })

  test('counts as damage where a picture is missing even so', async () => {
    const path = made('intra-refresh')
    const whole = await readVideoTrack(path, signal)
    const [first = 0, second = 0] = whole.ticks
    // A picture behind the end that the file doesn't have.
    const track = { ...whole, ticks: [...whole.ticks, (whole.ticks.at(-1) ?? 0) + second - first] }
    const jobs = planDecoding(track, [0, 60, 110, 125], { startCost: -Infinity })
    const { indices, health } = await decode(track, jobs, fullDecodeHashes(path))
    expect(indices).toEqual([0, 60, 110])
    expect(health).toEqual({ coverage: 0.75, warnings: [READ_FROM_FURTHER_BACK, DAMAGED] })
  })
})
