import { readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'

import { concatMap, lastValueFrom, map, toArray } from 'rxjs'
import type { Observable } from 'rxjs'

import type { QuestionResult } from '../envelope.js'
import { StreamError, throwIfAborted } from '../errors.js'
import type { GenerationSettings } from '../generation-settings.js'
import type { Model } from '../model/model.js'
import { answer } from '../operators/answer.js'
import { encode } from '../operators/encode.js'
import { wholeClip } from '../operators/whole-clip.js'
import { atIndices } from '../sampling/at-indices.js'
import { unlessAborted } from '../service/abort.js'
import { file } from '../sources/file.js'
import { imageStream } from '../sources/image.js'
import { listVideo } from '../sources/decoding/video-track.js'
import type { Frame, PixelKind } from '../types.js'
import type { EvalMedia, FramePlan } from './benchmark.js'
import type { FrameBudget } from './frames/frame-budget.js'
import { videoFacts } from './frames/video-facts.js'
import { pictureStream } from './picture-stream.js'

/** What a question is asked with. */
export interface AskContext {
  readonly model: Model
  readonly budget: FrameBudget
  readonly generation: Partial<GenerationSettings>
  readonly signal: AbortSignal
}

/** A question about something that can be shown. */
export interface MediaQuestion {
  readonly id: string
  readonly media: Exclude<EvalMedia, { kind: 'nothing' }>
}

/** Frames to show, what they are to the model, and what to ask about them. */
interface Showing extends FramePlan {
  readonly id: string
  readonly pixels: PixelKind
  readonly frames: (indices: readonly number[]) => Observable<Frame>
}

/**
 * Asks questions about one video, folder or picture. Those that want the same frames share them: they are decoded and
 * encoded once.
 *
 * @param questions All with media of the same path.
 * @returns the results by the questions' ids.
 * @throws {StreamError} `VIDEO_*`, `FRAME_*`, `MODEL_*`, `ABORTED`; a question's own error is its result.
 */
export async function askMedia(questions: readonly MediaQuestion[], context: AskContext): Promise<ReadonlyMap<string, QuestionResult>> {
  const showings: Showing[] = []
  for (const question of questions) showings.push(await showingOf(question, context))
  const results = new Map<string, QuestionResult>()
  for (const alike of groupBy(showings, ({ indices }) => indices.join()).values()) {
    const answers = await askAlike(alike, context)
    alike.forEach(({ id }, place) => {
      const result = answers[place]
      if (result !== undefined) results.set(id, result)
    })
  }
  return results
}

/** Gathers values by a key, in the order in which keys come up. */
export function groupBy<Value>(values: readonly Value[], keyOf: (value: Value) => string): ReadonlyMap<string, readonly Value[]> {
  const groups = new Map<string, Value[]>()
  for (const value of values) {
    const group = groups.get(keyOf(value))
    if (group === undefined) groups.set(keyOf(value), [value])
    else group.push(value)
  }
  return groups
}

async function showingOf({ id, media }: MediaQuestion, { budget, signal }: AskContext): Promise<Showing> {
  const { path } = media
  switch (media.kind) {
    case 'video': {
      const listing = await listVideo(path, signal)
      const { track } = listing
      const plan = media.plan(videoFacts(listing), budget)
      return { id, pixels: media.pixels, ...expectFrames(plan, path, track.ticks.length), frames: (indices) => videoFrames(path, indices) }
    }
    case 'folder': {
      const total = await countPictures(path)
      const plan = media.plan(total, budget)
      const nameOf = (index: number): string => join(path, `${String(index).padStart(5, '0')}.jpg`)
      const frames = (indices: readonly number[]): Observable<Frame> => pictureStream(basename(path), indices.map(nameOf)).frames
      return { id, pixels: 'picture', ...expectFrames(plan, path, total + 1), frames }
    }
    case 'picture':
      return { id, pixels: 'picture', indices: [0], question: media.question, frames: () => pictureFrame(path) }
  }
}

/** The reference counts whatever lies in the folder. */
async function countPictures(folder: string): Promise<number> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw new StreamError('VIDEO_NOT_FOUND', `There is no folder of pictures ${folder}, or this user may not read it.`, { cause })
  })
  return names.length
}

/** The reference would fail, too. @param end Number that the frames stay below. */
function expectFrames(plan: FramePlan, path: string, end: number): FramePlan {
  const last = plan.indices.at(-1)
  if (last !== undefined && last < end) return plan
  const wanted = last === undefined ? 'no frame is looked at' : `frame ${last} is looked at, and there is none`
  throw new StreamError('EVAL_VIDEO_DIFFERS', `${path} isn't the video that the annotations tell of: by them ${wanted}. Fetch it again.`)
}

function videoFrames(path: string, indices: readonly number[]): Observable<Frame> {
  return file(path, { sampling: atIndices(indices) }).streams.pipe(concatMap(({ frames }) => frames))
}

/** As the reference opens it: not turned as EXIF says. */
function pictureFrame(path: string): Observable<Frame> {
  return imageStream(path, { id: basename(path), kind: 'image', orient: false }).frames
}

async function askAlike(showings: readonly Showing[], { model, generation, signal }: AskContext): Promise<readonly QuestionResult[]> {
  const [first] = showings
  throwIfAborted(signal, 'The evaluation')
  if (first === undefined) return []
  const results = first.frames(first.indices).pipe(
    map((frame): Frame => ({ ...frame, kind: first.pixels })),
    encode(model),
    wholeClip(),
    answer(model, showings.map(({ question }) => question), generation),
    toArray(),
  )
  return await lastValueFrom(results.pipe(unlessAborted(signal, 'The evaluation')))
}
