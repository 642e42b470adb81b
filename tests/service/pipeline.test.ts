import { execFileSync } from 'node:child_process'
import { mkdtemp, readFile, rm, stat, truncate } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { firstValueFrom } from 'rxjs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import type { Answer, Result } from '../../src/envelope.js'
import { answerSchema } from '../../src/envelope.js'
import { answer, convertCheckpoint, definePipeline, encode, file, jsonLines, slidingWindow } from '../../src/index.js'
import { start, synthetic, uniform, uniformPerSecond, wholeClip } from '../../src/index.js'
import type { Pipeline, RunEvent, Source } from '../../src/index.js'
import { findFfmpeg } from '../../src/sources/decoding/ffmpeg-binary.js'

const checkpoint = fileURLToPath(new URL('../reference/cases/qwen2-group-16/checkpoint', import.meta.url))
const bunny = fileURLToPath(new URL('../media/bunny.mp4', import.meta.url))

let folder: string
let bundle: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pipeline-'))
  bundle = join(folder, 'bundle')
  await convertCheckpoint(checkpoint, bundle)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const questions = ['First?', 'Second?']
const askWindows: Pipeline['stream'] = (frames, { model }) =>
  frames.pipe(encode(model), slidingWindow({ frames: 4, every: 2 }), answer(model, questions, { maxNewTokens: 4 }))
const askWhole: Pipeline['stream'] = (frames, { model }) =>
  frames.pipe(encode(model), wholeClip(), answer(model, 'What?', { maxNewTokens: 4 }))

/** Runs a pipeline of real parts to its end. */
async function runAll(sources: readonly Source[], stream: Pipeline['stream'], path = join(folder, 'answers.jsonl')) {
  const run = start(definePipeline({ name: 'test', model: bundle, sources, stream, sinks: [jsonLines(path)] }))
  const [results, events]: [Result[], RunEvent[]] = [[], []]
  run.answers$.subscribe((result) => results.push(result))
  run.events$.subscribe((event) => events.push(event))
  await run.done
  return { answers: results.map((result) => answerSchema.parse(result)), events }
}

const indicesOf = ({ clip }: Answer): readonly number[] => clip.frames.map(({ index }) => index)

describe('a pipeline of real parts', () => {
  test('gives the same answers each time, and encodes each frame once', async () => {
    const path = join(folder, 'twice.jsonl')
    const run = () => runAll([file(bunny, { id: 'bunny', sampling: uniform(8) })], askWindows, path)
    const [first, second] = [await run(), await run()]

    expect(first.answers.map(({ question }) => question)).toEqual([...questions, ...questions, ...questions])
    expect(first.answers.map(indicesOf)[2]).toEqual(first.answers.map(indicesOf)[3])
    expect(first.events.find(({ kind }) => kind === 'stream-end')).toMatchObject({
      outcome: 'complete',
      counts: { handedOut: 8, encoded: 8, framesInFlight: 0, asked: 6, answered: 6, questionsInFlight: 0 },
    })
    const idsAndText = ({ answers }: typeof first) => answers.map(({ id, answer: text }) => [id, text])
    expect(idsAndText(second)).toEqual(idsAndText(first))

    const lines = (await readFile(path, 'utf8')).trim().split('\n')
    expect(lines.map((line) => answerSchema.parse(JSON.parse(line)).id)).toEqual(
      [...first.answers, ...second.answers].map(({ id }) => id),
    )
  })

  test('the pieces of text in the events make up the answer', async () => {
    const { answers, events } = await runAll([file(bunny)], askWhole)
    const pieces = events.flatMap((event) => (event.kind === 'answer-delta' ? [event.text] : []))
    expect(pieces.join('').trim()).toBe(answers[0]?.answer)
  })

  test('a file that was cut off is answered, with what is missing', async () => {
    const cut = join(folder, 'cut.mp4')
    execFileSync(findFfmpeg(), ['-v', 'error', '-i', bunny, '-c', 'copy', '-movflags', '+faststart', cut])
    await truncate(cut, Math.floor((await stat(cut)).size * 0.6))

    const { answers, events } = await runAll([file(cut, { sampling: uniformPerSecond({ maxFrames: 8 }) })], askWhole)
    expect(answers[0]?.clip.coverage).toBeGreaterThan(0)
    expect(answers[0]?.clip.coverage).toBeLessThan(1)
    expect(answers[0]?.degraded).toContainEqual(expect.stringContaining('cut off'))
    expect(events).toContainEqual({
      kind: 'stream-warning',
      streamId: 'cut.mp4',
      message: expect.stringContaining('cut off') as unknown,
    })
  })

  test('one broken file among several doesn’t cost the others their answers', async () => {
    const run = start(
      definePipeline({
        name: 'test',
        model: bundle,
        sources: [file(join(folder, 'missing.mp4')), file(bunny), file(checkpoint, { id: 'folder' })],
        stream: askWhole,
      }),
    )
    const results: Result[] = []
    run.answers$.subscribe((result) => results.push(result))
    await expect(run.done).rejects.toMatchObject({ code: 'VIDEO_NOT_FOUND' })
    expect(results.map(({ source }) => source.id)).toEqual(['bunny.mp4'])
  })

  test('stop ends a camera in the middle, with every frame and question accounted for', async () => {
    const camera = synthetic({ id: 'camera', frames: 100_000, fps: 5, isLive: true })
    const run = start(definePipeline({ name: 'test', model: bundle, sources: [camera], stream: askWindows }))
    const events: RunEvent[] = []
    run.events$.subscribe((event) => events.push(event))
    await firstValueFrom(run.answers$)
    await run.stop()

    const end = events.find((event) => event.kind === 'stream-end')
    expect(end).toMatchObject({ outcome: 'stopped', counts: { framesInFlight: 0, questionsInFlight: 0 } })
    expect(end?.counts.handedOut).toBeLessThan(1000)
    expect(end?.counts.asked).toBe(end?.counts.answered)
  })

  test('stop while the model is loading ends the run without an error', async () => {
    const run = start(definePipeline({ name: 'test', model: bundle, sources: [file(bunny)], stream: askWhole }))
    const events: RunEvent[] = []
    run.events$.subscribe((event) => events.push(event))
    await run.stop()
    expect(events).toMatchObject([{ kind: 'drain-start' }])
  })
})
