/**
 * Messages between the client (any thread) and the worker that owns the model. All are structured clones:
 * plain records and typed arrays.
 *
 * ```
 * client                           worker
 *   │ job 1 ───────────────────────► │  answers share their runs; pictures and clips take turns with them
 *   │ job 2 ───────────────────────► │
 *   │ ◄───────────────────── begun 1 │  from here on it may be what ends the worker
 *   │ ◄─────────────── delta 1 "A c" │  any number, for `generate` only
 *   │ ◄───────────────────── done 1  │  or failed 1
 *   │ cancel 2 ────────────────────► │  dropped if it waits, stopped between two runs if it is under way
 *   │ ◄─────────────────── failed 2  │
 * ```
 */
import type { FrameFeatures } from '../../types.js'
import type { Device } from '../device/device.js'
import type { Manifest } from '../manifest.js'
import type { GenerationSettings } from '../../generation-settings.js'
import type { Generation, Pixels, VisualTokens } from '../model.js'
import type { Prompt, TextPrompt } from '../parts/templates/prompt.js'
import type { RuntimeLimits } from './limits.js'
import type { GateCells } from './native-gate.js'
import type { ThreadPlan } from './threads.js'
import type { WireError } from './wire-error.js'

/** Does nothing: its answer says that the model is loaded. */
export interface OpenJob {
  readonly kind: 'open'
}

/** Preprocessing and the vision tower. */
export interface EncodeJob {
  readonly kind: 'encode'
  readonly pictures: readonly Pixels[]
}

/** What the connector makes of one frame by itself, before the frame's place in a clip is known. */
export interface CondensedFrame {
  /** float32 `[queries, width of the language model]`, row by row. */
  readonly condensed: Float32Array
}

/**
 * The connector over a whole clip. Frames that were condensed already come as that: only where the clip
 * is connected frame by frame (`isFrameByFrame`).
 */
export interface ConnectJob {
  readonly kind: 'connect'
  readonly frames: readonly (FrameFeatures | CondensedFrame)[]
}

/** A connected clip, and what may be handed in for its frames the next time. */
export interface ConnectResult {
  readonly visual: VisualTokens
  /** One for each frame that came as features, in their order; none where frames aren't condensed one by one. */
  readonly condensed: readonly CondensedFrame[]
}

/**
 * One answer. The prompt's text is built by the client: templates that a user registered exist on the
 * user's thread only.
 */
export interface GenerateJob extends Omit<GenerationSettings, 'template'> {
  readonly kind: 'generate'
  /** Which clip it is: questions with the same number are about the same visual tokens. */
  readonly clip: number
  /** Of a question that shows nothing: no tokens, and a prompt that is text alone. */
  readonly visual: VisualTokens
  readonly prompt: Prompt | TextPrompt
  readonly endText: string
  /** Whether another round may follow: all of the prompt is kept for it. @default false */
  readonly isConversation?: boolean
}

/** Work for the worker. */
export type Job = OpenJob | EncodeJob | ConnectJob | GenerateJob

/** What each kind of job results in. */
export interface JobResults {
  open: null
  encode: readonly FrameFeatures[]
  connect: ConnectResult
  generate: Generation
}

/** Result of one kind of job, or of any. */
export type JobResult<Kind extends Job['kind'] = Job['kind']> = JobResults[Kind]

/** Client to worker. */
export type ToWorker =
  | { readonly type: 'job'; readonly id: number; readonly job: Job }
  | { readonly type: 'cancel'; readonly id: number }
  /** Ends the worker; jobs it still has are not answered. */
  | { readonly type: 'close' }

/** Worker to client. */
export type FromWorker =
  | { readonly type: 'begun'; readonly id: number }
  | { readonly type: 'done'; readonly id: number; readonly result: JobResult }
  | { readonly type: 'delta'; readonly id: number; readonly text: string }
  | { readonly type: 'failed'; readonly id: number; readonly error: WireError }
  /** The model couldn't be loaded; the worker ends. */
  | { readonly type: 'open-failed'; readonly error: WireError }

/** What a worker is started with. */
export interface WorkerSettings {
  readonly bundleDir: string
  readonly manifest: Manifest
  readonly threads: ThreadPlan
  readonly device: Device
  readonly limits: RuntimeLimits
  readonly gate: GateCells
}
