import { readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'

import { concatMap } from 'rxjs'
import type { Observable } from 'rxjs'

import { StreamError } from '../errors.js'
import { atIndices } from '../sampling/at-indices.js'
import { localVideo } from '../sources/decoding/file-stream.js'
import { listVideo } from '../sources/decoding/video-track.js'
import { file } from '../sources/file.js'
import { imageStream } from '../sources/image.js'
import type { Frame, PixelKind } from '../types.js'
import type { FramePlan, ShownMedia } from './benchmark.js'
import type { FrameBudget } from './frames/frame-budget.js'
import { type VideoFacts, videoFacts } from './frames/video-facts.js'
import { pictureStream } from './picture-stream.js'

/** Frames to show, what they are to the model, and what to ask about them. */
export interface Showing extends FramePlan {
  readonly pixels: PixelKind
  readonly frames: () => Observable<Frame>
}

/** Says what questions about one video, folder or picture show. */
export type Planner = (media: ShownMedia, budget: FrameBudget) => Promise<Showing>

/**
 * Makes a planner. A video is listed once, at its first question.
 *
 * @returns rejects with `VIDEO_*`, `EVAL_VIDEO_DIFFERS`, `EVAL_DATA_*` or `ABORTED`.
 */
export function createPlanner(signal: AbortSignal): Planner {
  let facts: Promise<VideoFacts> | undefined
  return async (media, budget) => {
    const { path } = media
    switch (media.kind) {
      case 'video': {
        facts ??= listVideo(path, signal).then(videoFacts)
        const known = await facts
        const plan = expectFrames(await media.plan(known, budget), path, known.pts.length)
        return { ...plan, pixels: media.pixels, frames: () => videoFrames(path, plan.indices) }
      }
      case 'folder': {
        const total = await countPictures(path)
        const plan = expectFrames(media.plan(total, budget), path, total + 1)
        const names = plan.indices.map((index) => join(path, `${String(index).padStart(5, '0')}.jpg`))
        return { ...plan, pixels: 'picture', frames: () => pictureStream(basename(path), names).frames }
      }
      case 'picture':
        return { indices: [0], question: media.question, pixels: 'picture', frames: () => pictureFrame(path) }
    }
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
  return imageStream(localVideo(path), { id: basename(path), kind: 'image', orient: false }).frames
}
