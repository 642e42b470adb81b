import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, describe, expect, test } from 'vitest'

import { type BenchmarkName, benchmarkNames } from '../../src/eval/benchmark-names.js'
import { findBenchmark } from '../../src/eval/benchmarks.js'
import { DataFolder } from '../../src/eval/data-folder.js'
import { readSubtitles } from '../../src/eval/subtitles.js'
import { dataPath } from './goldens.js'

const scratch = mkdtempSync(join(tmpdir(), 'eval-data-'))
afterAll(() => {
  rmSync(scratch, { recursive: true })
})

/** A copy of a miniature data set in which one file holds something else. */
function changed(folder: string, file: string, content: string | Uint8Array): string {
  const copy = mkdtempSync(join(scratch, 'data-'))
  cpSync(dataPath(folder), copy, { recursive: true })
  writeFileSync(join(copy, file), content)
  return copy
}

const read = (name: BenchmarkName, folder: string) => findBenchmark(name).read(new DataFolder(folder))
const row = (value: object): string => JSON.stringify([value])

test.each(benchmarkNames)('%s: a folder without its files is told with the file that is missing', async (name) => {
  const folder = mkdtempSync(join(scratch, 'empty-'))
  await expect(read(name, folder)).rejects.toMatchObject({ code: 'EVAL_DATA_NOT_FOUND', message: expect.stringContaining(folder) as string })
})

test('an unknown benchmark lists the known ones', () => {
  expect(() => findBenchmark('imagenet')).toThrow(expect.objectContaining({ code: 'SETTING_INVALID', message: expect.stringContaining('mm-vet') as string }))
})

describe('a file that holds something else is told with its place', () => {
  const options = ['A. x', 'B y']
  const mme = { videoID: 'a', duration: 'short', question_id: '1', question: 'q', options, answer: 'A' }

  test.each([
    ['video-mme', 'video-mme', 'videomme/test-00000-of-00001.parquet', row(mme), 'parquet'],
    ['mvbench', 'mvbench', 'json/action_count.json', '{', 'action_count.json'],
    ['mvbench', 'mvbench', 'json/action_count.json', row({ video: 'a' }), '`[0].question`'],
    ['mvbench', 'mvbench', 'json/episodic_reasoning.json', row({ video: 'a', question: 'q', candidates: ['a'], answer: 'a', start: 1 }), '`end`'],
    ['mlvu', 'mlvu', 'json/4_count.json', row({ video: 'a', question: 'q', candidates: 'a', answer: 'a' }), '`[0].candidates`'],
    ['mmvu', 'mmvu', 'validation.json', row({ id: '1', video: 'a', question: 'q', answer: 'a', question_type: 'essay' }), '`[0].question_type`'],
    ['gqa', 'gqa', 'llava_gqa_testdev_balanced.jsonl', '{"question_id":1}\n', 'line 1'],
    ['pope', 'pope', 'coco/coco_pope_random.json', '{"label":"yes"}\n', 'no label'],
    ['sqa', 'scienceqa', 'pid_splits.json', '{"test":["77"]}', '77'],
    ['textvqa', 'textvqa', 'llava_textvqa_val_v051_ocr.jsonl', '{"question_id":"x","image":"x","text":"one line"}\n', 'no answers'],
    ['mmmu', 'MMMU', 'anns_for_eval.json', row({ id: '1' }), '`[0]'],
  ] as const)('%s: %s/%s: %s', async (name, folder, file, content, words) => {
    const reading = read(name, changed(folder, file, content))
    await expect(reading).rejects.toMatchObject({ code: 'EVAL_DATA_INVALID', message: expect.stringContaining(words) as string })
  })
})

test.each([
  [{ timestamp: ['0', 1], text: 'x' }, '`[0]'],
  [{ start: 'soon', end: '00:00:01', line: 'x' }, 'no time'],
])('subtitles that are none, %j, are told when they are read', async (wrong, words) => {
  const data = new DataFolder(changed('longvideobench', 'subtitles/clip-1_en.json', row(wrong)))
  const message = expect.stringMatching(new RegExp(`clip-1_en\\.json .*${words.replace('[', '\\[')}`)) as string
  await expect(readSubtitles(data, 'subtitles/clip-1_en.json')).rejects.toMatchObject({ code: 'EVAL_DATA_INVALID', message })
})

test('the digest tells other annotations apart', async () => {
  const digestOf = async (path: string): Promise<string> => {
    const data = new DataFolder(path)
    await findBenchmark('gqa').read(data)
    return data.digest()
  }
  const same = await digestOf(dataPath('gqa'))
  expect(await digestOf(dataPath('gqa'))).toBe(same)
  const other = changed('gqa', 'llava_gqa_testdev_balanced.jsonl', '{"question_id":1,"image":"a.jpg","text":"q"}\n')
  expect(await digestOf(other)).not.toBe(same)
})
