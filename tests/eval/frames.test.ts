import { expect, test } from 'vitest'
import { z } from 'zod'

import { pyavIndices } from '../../src/eval/frames/pyav.js'
import { folderSegments, segmentMiddles, videoSegments } from '../../src/eval/frames/segments.js'
import { videoFacts } from '../../src/eval/frames/video-facts.js'
import { wholeStepIndices } from '../../src/eval/frames/whole-steps.js'
import { listVideo } from '../../src/sources/decoding/video-track.js'
import { BUNNY, MediaFolder } from '../sources/helpers/media.js'
import { budgetFields, budgetOf, factsOf, readEvalGolden, streamSchema } from './goldens.js'

const frames = z.array(z.number())
const bound = z.tuple([z.number(), z.number()])
const boundOf = (pair: z.infer<typeof bound> | null) => (pair === null ? undefined : { start: pair[0], end: pair[1] })
const placesOf = (pts: number) => Array.from({ length: pts }, (_, place) => place)

test('Video-MME and MLVU: late starts, lost pictures, headers that say too much, too little or nothing', () => {
  const rows = readEvalGolden('frames/pyav.json', z.array(z.object({ stream: streamSchema, ...budgetFields, frames })))
  expect(rows).toHaveLength(400)
  for (const row of rows) expect({ ...row, frames: pyavIndices(factsOf(row.stream), budgetOf(row)) }).toEqual(row)
})

test('MVBench: middles of segments', () => {
  const fields = { fps: z.number(), last: z.number(), first: z.number(), count: z.number() }
  const rows = readEvalGolden('frames/segments.json', z.array(z.object({ bound: bound.nullable(), ...fields, frames })))
  expect(rows).toHaveLength(400)
  for (const row of rows) expect({ ...row, frames: segmentMiddles({ ...row, bound: boundOf(row.bound) }) }).toEqual(row)
})

test('MVBench: AVI and WebM files', () => {
  const rows = readEvalGolden('frames/decord.json', z.array(z.object({ total: z.number(), fps: z.number(), ...budgetFields, frames })))
  expect(rows).toHaveLength(150)
  for (const row of rows) {
    const ours = videoSegments({ pts: placesOf(row.total), averageFps: row.fps }, budgetOf(row))
    expect({ ...row, frames: ours }).toEqual(row)
  }
})

test('MVBench: folders of pictures', () => {
  const rows = readEvalGolden('frames/folders.json', z.array(z.object({ total: z.number(), bound, ...budgetFields, frames })))
  expect(rows).toHaveLength(150)
  for (const row of rows) expect({ ...row, frames: folderSegments(row.total, budgetOf(row), boundOf(row.bound)) }).toEqual(row)
})

test('LongVideoBench: whole steps', () => {
  const fields = { fps: z.number(), duration: z.number(), most: z.number() }
  const rows = readEvalGolden('frames/whole-steps.json', z.array(z.object({ ...fields, frames })))
  expect(rows).toHaveLength(300)
  for (const row of rows) {
    const budget = { kind: 'per-second', maxFrames: row.most } as const
    const ours = wholeStepIndices({ seconds: row.duration, averageFps: row.fps, budget })
    expect({ ...row, frames: ours }).toEqual(row)
  }
})

const media = new MediaFolder()
const factsIn = async (path: string) => videoFacts(await listVideo(path, new AbortController().signal))

const FILES = {
  'bunny.mp4': () => BUNNY,
  'film.mp4': () => media.make('film.mp4', ['-i', BUNNY, '-vf', 'fps=30000/1001', '-c:v', 'libx264', '-preset', 'ultrafast', '-g', '12', '-bf', '2']),
  'late.mp4': () => media.make('late.mp4', ['-itsoffset', '0.5', '-i', BUNNY, '-c', 'copy', '-use_editlist', '0', '-avoid_negative_ts', 'disabled']),
  'empty-edit.mp4': () => media.make('empty-edit.mp4', ['-itsoffset', '0.5', '-i', BUNNY, '-c', 'copy']),
  'edit-list.mp4': () => media.kind('edit-list.mp4'),
  'vfr.mp4': () => media.kind('vfr.mp4'),
  'matroska.mkv': () => media.kind('matroska.mkv'),
  'mpeg4.avi': () => media.make('mpeg4.avi', ['-i', BUNNY, '-c:v', 'mpeg4', '-g', '12', '-an']),
}

const files = z.record(z.enum(Object.keys(FILES) as (keyof typeof FILES)[]), z.array(z.object({ ...budgetFields, frames })))

test.each(Object.entries(readEvalGolden('frames/files.json', files)))('PyAV itself takes the same pictures of %s', async (name, rows) => {
  const facts = await factsIn(FILES[name as keyof typeof FILES]())
  for (const row of rows) expect({ ...row, frames: pyavIndices(facts, budgetOf(row)) }).toEqual(row)
})
