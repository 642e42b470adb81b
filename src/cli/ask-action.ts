import type { OperatorFunction } from 'rxjs'

import { defined } from '../defined.js'
import type { Model } from '../model/model.js'
import { answer } from '../operators/answer.js'
import { encode } from '../operators/encode.js'
import { slidingWindow } from '../operators/sliding-window.js'
import { wholeClip } from '../operators/whole-clip.js'
import { definePipeline } from '../service/define-pipeline.js'
import { start } from '../service/start.js'
import { videoOrImage } from '../sources/video-or-image.js'
import type { Clip, Frame } from '../types.js'
import { answerOutput } from './answer-output.js'
import { checkVideo, generationOf, samplingOf } from './ask-settings.js'
import type { Asking } from './ask-settings.js'
import { frameOutput } from './frame-output.js'
import { onInterrupt } from './interrupt.js'
import { reportEvents } from './report-events.js'
import type { Reporter } from './reporter.js'

/** Asks about a video and prints the answers. Rejects after the last one where a question failed or was not reached. */
export async function ask({ video, questions, flags }: Asking, reporter: Reporter): Promise<void> {
  await checkVideo(video)
  const outputOf = flags.eachFrame === true ? frameOutput : answerOutput
  const output = outputOf({ isJson: flags.json === true, questions: questions.length, warn: reporter.warning })
  const toClips = flags.eachFrame === true ? eachFrame : allFrames
  let isStopped = false
  const run = start(
    definePipeline({
      name: 'ask',
      ...defined({ model: flags.model, device: flags.device }),
      sources: [videoOrImage(video, { sampling: samplingOf(flags) })],
      stream: (frames, { model }) => frames.pipe(toClips(model), answer(model, questions, generationOf(flags))),
      sinks: [output.sink],
    }),
  )
  reportEvents(run.events$, reporter)
  const forget = onInterrupt(reporter, 'stopping', () => {
    isStopped = true
    // How it ends is told by `done`, below.
    run.stop().catch(() => undefined)
  })
  try {
    await run.done
  } finally {
    forget()
  }
  output.throwIfFailed(isStopped)
}

/** One clip of all frames. */
const allFrames = (model: Model): OperatorFunction<Frame, Clip> => (frames) => frames.pipe(encode(model), wholeClip())

/** A clip of each frame, which is then a picture to the model as a file of it would be. */
const eachFrame = (model: Model): OperatorFunction<Frame, Clip> => (frames) =>
  frames.pipe(encode(model, { kind: 'picture' }), slidingWindow({ frames: 1 }))
