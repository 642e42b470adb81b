import { resolve } from 'node:path'

import { defined } from '../defined.js'
import type { GenerationSettings } from '../generation-settings.js'
import type { DeviceChoice } from '../model/device/device.js'
import type { Sampling } from '../sampling/sampling.js'
import { uniform } from '../sampling/uniform.js'
import { uniformPerSecond } from '../sampling/uniform-per-second.js'
import { httpAddress } from '../sources/remote-file/address.js'
import { decodeImageFile } from '../sources/image.js'
import { expectNoAddress } from '../sources/decoding/video-errors.js'
import { isImagePath } from '../sources/image/image-name.js'
import { readVideoTrack } from '../sources/decoding/video-track.js'

/** What can be said beside the video and the questions. */
export interface AskFlags extends Partial<GenerationSettings> {
  readonly model?: string
  readonly device?: DeviceChoice
  readonly frames?: number
  readonly framesPerSecond?: true
  readonly maxFrames?: number
  readonly json?: true
  /** Each question knows those before it. */
  readonly conversation?: true
  /** Each frame is asked about by itself. */
  readonly eachFrame?: true
  /** The page that explains the answer. */
  readonly explain?: string
}

/** What is asked. */
export interface Asking {
  readonly video: string
  readonly questions: readonly string[]
  readonly flags: AskFlags
}

/** Looks at a video or a picture before the model is loaded, or even built, which takes much longer. What is far away is fetched only once. */
export async function checkVideo(video: string): Promise<void> {
  if (httpAddress(video) !== undefined) return
  expectNoAddress(video)
  if (isImagePath(video)) await decodeImageFile(resolve(video))
  else await readVideoTrack(resolve(video), new AbortController().signal)
}

/** The settings that were given; `answer` knows the defaults. */
export function generationOf({ maxNewTokens, temperature, topP, seed, template }: AskFlags): Partial<GenerationSettings> {
  return defined({ maxNewTokens, temperature, topP, seed, template })
}

/** Which frames are looked at. */
export function samplingOf({ frames = 16, framesPerSecond, maxFrames = 64 }: AskFlags): Sampling {
  return framesPerSecond === true ? uniformPerSecond({ maxFrames }) : uniform(frames)
}
