import { readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'

import type { Observable } from 'rxjs'

import { StreamError } from '../errors.js'
import { atIndices } from '../sampling/at-indices.js'
import { fileStream, localVideo } from '../sources/decoding/file-stream.js'
import { type VideoTrack, listVideo } from '../sources/decoding/video-track.js'
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

/** Frames of a video decoded and not yet taken by the model. */
const MAX_IN_FLIGHT = 32

/**
 * Makes a planner. A video is listed once, at its first question, whatever frames are shown of it then.
 *
 * @returns rejects with `VIDEO_*`, `EVAL_VIDEO_DIFFERS`, `EVAL_DATA_*` or `ABORTED`.
 */
export function createPlanner(signal: AbortSignal): Planner {
  let listed: Promise<ListedVideo> | undefined
  return async (media, budget) => {
    const { path } = media
    switch (media.kind) {
      case 'video': {
        listed ??= list(path, signal)
        const { facts, track } = await listed
        const plan = expectFrames(await media.plan(facts, budget), path, facts.pts.length)
        return { ...plan, pixels: media.pixels, frames: () => videoFrames(track, plan.indices) }
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

interface ListedVideo {
  readonly facts: VideoFacts
  readonly track: VideoTrack
}

async function list(path: string, signal: AbortSignal): Promise<ListedVideo> {
  const listing = await listVideo(path, signal)
  return { facts: videoFacts(listing), track: listing.track }
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

function videoFrames(track: VideoTrack, indices: readonly number[]): Observable<Frame> {
  const settings = { id: basename(track.path), kind: 'file', sampling: atIndices(indices), maxFramesInFlight: MAX_IN_FLIGHT }
  return fileStream(localVideo(track.path), { ...settings, track }).frames
}

/** As the reference opens it: not turned as EXIF says. */
function pictureFrame(path: string): Observable<Frame> {
  return imageStream(localVideo(path), { id: basename(path), kind: 'image', orient: false }).frames
}
