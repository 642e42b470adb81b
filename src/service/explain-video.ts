import { concatMap, lastValueFrom } from 'rxjs'

import { defined } from '../defined.js'
import type { Explanation, SeenFrame } from '../explain/explanation.js'
import { seenFrame } from '../explain/seen-frame.js'
import type { GenerationSettings } from '../generation-settings.js'
import { explainAnswer } from '../model/explain/explain-answer.js'
import type { ExplainedAnswer } from '../model/explain/explained-answer.js'
import type { Model } from '../model/model.js'
import { encode } from '../operators/encode.js'
import { wholeClip } from '../operators/whole-clip.js'
import type { Source } from '../sources/source.js'
import type { Clip, Frame, Question } from '../types.js'
import { unlessAborted } from './abort.js'
import { demoBundle } from './demo-model.js'
import { oneVideo } from './one-video.js'
import { openModel } from './open-model.js'
import type { OpenModelOptions } from './open-model.js'

/** How a video is asked about and the answer explained. */
export interface ExplainVideoOptions extends Partial<GenerationSettings>, Pick<OpenModelOptions, 'device' | 'threads' | 'onProgress' | 'signal'> {
  /** Folder of a converted bundle. @default the embedded demo model */
  readonly model?: string
  /** What the explanation calls the video. @default the source's id */
  readonly title?: string
}

/**
 * Asks one question about a whole video and says why the answer came out as it did: `explanationPage` shows it.
 *
 * The answer is made where the model runs, and explained on the processor after the model was let go. The frames are kept as small
 * pictures meanwhile.
 *
 * @throws {StreamError} Any code of `loadModel` and of a question.
 *
 * @example
 * ```ts
 * const explanation = await explainVideo(file('clip.mp4', { sampling: uniform(16) }), 'What happens?')
 * await writeFile('why.html', await explanationPage(explanation))
 * ```
 */
export async function explainVideo(source: Source, question: Question, options: ExplainVideoOptions = {}): Promise<Explanation> {
  const { model: named, title = source.id, device, threads, onProgress, signal, ...generation } = options
  const loading = defined({ device, threads, onProgress, signal })
  const bundle = named ?? (await demoBundle(loading))
  const { model, close } = await openModel(bundle, loading)
  const answered = await answerOnce(model, source, { question, generation, signal }).finally(close)
  const { clip, visual, frames, text, tokenIds, isTruncated } = answered
  const features = clip.frames.map((frame) => frame.features)
  const explained: ExplainedAnswer = await explainAnswer(bundle, {
    ...{ frames: features, visual, question, tokenIds },
    ...defined({ template: generation.template, threads, signal }),
  })
  const warnings = [...clip.warnings, ...(isTruncated ? ["The end of the prompt was cut at the model's limit."] : [])]
  return { ...explained, title, question, answer: text, model: model.info.name, frames, warnings }
}

/** What is asked in `answerOnce`. */
interface Asked {
  readonly question: Question
  readonly generation: Partial<GenerationSettings>
  readonly signal: AbortSignal | undefined
}

async function answerOnce(model: Model, source: Source, { question, generation, signal }: Asked) {
  const stopping = defined({ signal })
  const { clip, frames } = await readClip(model, source, signal)
  const visual = await model.connect(clip.frames.map(({ features }) => features), stopping)
  return { clip, frames, visual, ...(await model.generate(visual, question, { ...generation, ...stopping })) }
}

/** Encodes the video, and keeps what was seen. */
async function readClip(model: Model, source: Source, signal: AbortSignal | undefined): Promise<{ clip: Clip; frames: readonly SeenFrame[] }> {
  const seen = new Map<number, SeenFrame>()
  const keep = async (frame: Frame): Promise<Frame> => {
    seen.set(frame.index, await seenFrame(frame))
    return frame
  }
  const clips = oneVideo(source, (read) => read.pipe(concatMap(keep), encode(model), wholeClip()))
  const clip = await lastValueFrom(clips.pipe(unlessAborted(signal, 'The question')))
  // Not all of those that were read: one the tower failed on is left out of the clip.
  return { clip, frames: clip.frames.flatMap(({ index }) => seen.get(index) ?? []) }
}
