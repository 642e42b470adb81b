/**
 * Messages between the client (any thread) and the worker that owns the model. All are structured clones:
 * plain records and typed arrays.
 *
 * ```
 * client                           worker
 *   │ job 1 ───────────────────────► │  jobs run in turn, in the order they came
 *   │ job 2 ───────────────────────► │
 *   │ ◄─────────────── delta 1 "A c" │  any number, for `generate` only
 *   │ ◄───────────────────── done 1  │  or failed 1
 *   │ cancel 2 ────────────────────► │  dropped if it waits, stopped at its next token or picture if it runs
 *   │ ◄─────────────────── failed 2  │
 * ```
 */
import type { FrameFeatures } from '../../types.js'
import type { Manifest } from '../manifest.js'
import type { GenerationSettings } from '../../generation-settings.js'
import type { Generation, Pixels, VisualTokens } from '../model.js'
import type { Prompt } from '../parts/templates/prompt.js'
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

/** The connector over a whole clip. */
export interface ConnectJob {
  readonly kind: 'connect'
  readonly frames: readonly FrameFeatures[]
}

/**
 * One answer. The prompt's text is built by the client: templates that a user registered exist on the
 * user's thread only.
 */
export interface GenerateJob extends Omit<GenerationSettings, 'template'> {
  readonly kind: 'generate'
  readonly visual: VisualTokens
  readonly prompt: Prompt
  readonly endText: string
}

/** Work for the worker. */
export type Job = OpenJob | EncodeJob | ConnectJob | GenerateJob

/** What each kind of job results in. */
export interface JobResults {
  open: null
  encode: readonly FrameFeatures[]
  connect: VisualTokens
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
  readonly gate: GateCells
}
