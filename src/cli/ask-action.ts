import { resolve } from 'node:path'

import type { GenerationSettings } from '../generation-settings.js'
import type { DeviceChoice } from '../model/device/device.js'
import { answer } from '../operators/answer.js'
import { encode } from '../operators/encode.js'
import { wholeClip } from '../operators/whole-clip.js'
import type { Sampling } from '../sampling/sampling.js'
import { uniform } from '../sampling/uniform.js'
import { uniformPerSecond } from '../sampling/uniform-per-second.js'
import { definePipeline } from '../service/define-pipeline.js'
import { start } from '../service/start.js'
import { file } from '../sources/file.js'
import { httpAddress } from '../sources/remote-file-address.js'
import { expectNoAddress } from '../sources/video-errors.js'
import { readVideoTrack } from '../sources/video-track.js'
import { answerOutput } from './answer-output.js'
import { onInterrupt } from './interrupt.js'
import { reportEvents } from './report-events.js'
import type { Reporter } from './reporter.js'

/** What can be said beside the video and the questions. */
export interface AskFlags extends Partial<GenerationSettings> {
  readonly model?: string
  readonly device?: DeviceChoice
  readonly frames?: number
  readonly framesPerSecond?: true
  readonly maxFrames?: number
  readonly json?: true
}

/** What is asked. */
export interface Asking {
  readonly video: string
  readonly questions: readonly string[]
  readonly flags: AskFlags
}

/** Asks about a video and prints the answers. Rejects after the last one where a question failed or was not reached. */
export async function ask({ video, questions, flags }: Asking, reporter: Reporter): Promise<void> {
  // Before the model is loaded, or even built, which takes much longer. What is far away is fetched only once.
  if (httpAddress(video) === undefined) {
    expectNoAddress(video)
    await readVideoTrack(resolve(video), new AbortController().signal)
  }
  const output = answerOutput({ isJson: flags.json === true, questions: questions.length })
  const run = start(
    definePipeline({
      name: 'ask',
      ...(flags.model !== undefined && { model: flags.model }),
      ...(flags.device !== undefined && { device: flags.device }),
      sources: [file(video, { sampling: samplingOf(flags) })],
      stream: (frames, { model }) =>
        frames.pipe(encode(model), wholeClip(), answer(model, questions, generationOf(flags))),
      sinks: [output.sink],
    }),
  )
  reportEvents(run.events$, reporter)
  const forget = onInterrupt(reporter, 'stopping', () => {
    // How it ends is told by `done`, below.
    run.stop().catch(() => undefined)
  })
  try {
    await run.done
  } finally {
    forget()
  }
  output.throwIfFailed()
}

/** The settings that were given; `answer` knows the defaults. */
function generationOf({ maxNewTokens, temperature, topP, seed, template }: AskFlags): Partial<GenerationSettings> {
  return Object.fromEntries(
    Object.entries({ maxNewTokens, temperature, topP, seed, template }).filter(([, value]) => value !== undefined),
  )
}

function samplingOf({ frames = 16, framesPerSecond, maxFrames = 64 }: AskFlags): Sampling {
  return framesPerSecond === true ? uniformPerSecond({ maxFrames }) : uniform(frames)
}
