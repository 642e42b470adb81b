import { StreamError } from '../../errors.js'
import { resolveGeneration } from '../../generation-settings.js'
import type { FrameFeatures, Round } from '../../types.js'
import { type Manifest, isFrameByFrame } from '../manifest.js'
import type { GenerateOptions, Generation, Model, ModelInfo, Pixels, VisualTokens } from '../model.js'
import { buildPrompt, buildTextPrompt } from '../parts/templates/prompt.js'
import { templates } from '../parts/templates/templates.js'
import type { Bundle } from './bundle.js'
import type { Dispatcher } from './dispatcher.js'
import type { CondensedFrame, ConnectJob, GenerateJob } from './protocol.js'
import { checkFrames, checkPictures, checkVisual } from './input-checks.js'
import type { SubmitOptions } from './pending-job.js'

/** What a question without a clip is about. Clips are numbered from 1. */
const NOTHING_SHOWN: Pick<GenerateJob, 'clip' | 'visual'> = {
  clip: 0,
  visual: { data: new Float32Array(0), tokens: 0, width: 0, connectMs: 0 },
}

/**
 * Makes the model that callers hold: checks what comes in, builds the prompt, hands the work to the worker.
 *
 * @param device Where the worker runs it, for `info`.
 */
export function createClient({ manifest, digest }: Bundle, dispatcher: Pick<Dispatcher, 'submit' | 'dispose'>, device: string): Model {
  // Both go when the caller's records go: nothing is held beyond them.
  const condensed = new WeakMap<FrameFeatures, CondensedFrame>()
  const clipNumbers = new WeakMap<VisualTokens, number>()
  let clips = 0
  const clipOf = (visual: VisualTokens): number => {
    const number = clipNumbers.get(visual) ?? (clips += 1)
    clipNumbers.set(visual, number)
    return number
  }
  const shown = (visual: VisualTokens): Pick<GenerateJob, 'clip' | 'visual'> => ({
    clip: clipOf(visual),
    visual: checkVisual(visual, manifest.languageModel.width),
  })
  /** Where frames are connected one by one, those that were before need not be again. */
  const toConnect = (frames: readonly FrameFeatures[]): ConnectJob['frames'] => {
    const checked = checkFrames(frames, manifest.visionTower)
    if (!isFrameByFrame(manifest, frames.length)) return checked
    return frames.map((frame, place) => condensed.get(frame) ?? checked[place] ?? frame)
  }

  return {
    info: describeModel(manifest, digest, device),

    async encode(pictures: readonly Pixels[], options: { signal?: AbortSignal } = {}): Promise<readonly FrameFeatures[]> {
      if (pictures.length === 0) return []
      return dispatcher.submit({ kind: 'encode', pictures: checkPictures(pictures) }, options)
    },

    async connect(frames: readonly FrameFeatures[], options: { signal?: AbortSignal } = {}): Promise<VisualTokens> {
      const job = { kind: 'connect', frames: toConnect(frames) } as const
      const result = await dispatcher.submit(job, options)
      const fresh = frames.filter((_, place) => 'data' in (job.frames[place] ?? {}))
      result.condensed.forEach((tokens, place) => {
        const frame = fresh[place]
        if (frame !== undefined) condensed.set(frame, tokens)
      })
      return result.visual
    },

    async generate(visual: VisualTokens | null, question: string, options: GenerateOptions = {}): Promise<Generation> {
      const { template: name, ...settings } = resolveGeneration(options)
      const template = templates.get(name ?? manifest.template)
      const asked = [template, checkQuestion(question), checkRounds(options.rounds)] as const
      const job = {
        kind: 'generate',
        ...(visual === null ? { ...NOTHING_SHOWN, prompt: buildTextPrompt(...asked) } : { ...shown(visual), prompt: buildPrompt(...asked) }),
        // Text alone has one piece, which nothing can go on from.
        isConversation: visual !== null && options.rounds !== undefined,
        endText: template.endText,
        ...settings,
      } as const
      return dispatcher.submit(job, submitOptions(options))
    },

    dispose: () => dispatcher.dispose(),
  }
}

function describeModel(manifest: Manifest, digest: string, device: string): ModelInfo {
  return {
    name: manifest.name,
    digest,
    precision: manifest.precision,
    device,
    template: manifest.template,
    imageSize: manifest.visionTower.imageSize,
    tokensPerFrame: manifest.visionTower.tokensPerFrame,
    parts: {
      tower: manifest.visionTower.name,
      connector: manifest.connector.name,
      languageModel: manifest.languageModel.name,
    },
  }
}

function submitOptions({ signal, onDelta }: GenerateOptions): SubmitOptions {
  return { ...(signal === undefined ? {} : { signal }), ...(onDelta === undefined ? {} : { onDelta }) }
}

function checkQuestion(question: unknown): string {
  if (typeof question === 'string') return question
  throw new StreamError('SETTING_INVALID', `Expected the question to be a string, got ${typeof question}.`)
}

function checkRounds(rounds: readonly Round[] = []): readonly Round[] {
  if (Array.isArray(rounds) && rounds.every(isRound)) return rounds
  throw new StreamError('SETTING_INVALID', 'Expected `rounds` to be a list of `{ question, answer }`, both strings.')
}

function isRound(value: unknown): value is Round {
  if (typeof value !== 'object' || value === null) return false
  return 'question' in value && typeof value.question === 'string' && 'answer' in value && typeof value.answer === 'string'
}
