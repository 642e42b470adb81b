import type { GenerationSettings } from '../generation-settings.js'
import type { FrameFeatures, PixelKind, Round } from '../types.js'

/** What a loaded model is, for envelopes, logs and sizing. */
export interface ModelInfo {
  /** Name of the checkpoint, e.g. `tinyllava-video-qwen2.5-3b-group-16-512`. */
  readonly name: string
  /** Digest of the bundle's files and settings: two bundles with one digest give the same answers. */
  readonly digest: string
  /** Of the weights, e.g. `fp32`. */
  readonly precision: string
  /** Where it runs, e.g. `cpu`. */
  readonly device: string
  /** Name of the chat template that is used where a call names none. */
  readonly template: string
  /** Side of the tower's square input, in pixels. */
  readonly imageSize: number
  /** Visual tokens the tower makes of one frame. */
  readonly tokensPerFrame: number
  /** Parts by their registered names. */
  readonly parts: { readonly tower: string; readonly connector: string; readonly languageModel: string }
}

/** One picture for the tower: RGB, 8 bits a channel, `height * width * 3` bytes. */
export interface Pixels {
  readonly data: Uint8Array
  readonly width: number
  readonly height: number
  /** @default 'frame' */
  readonly kind?: PixelKind
}

/** A clip after the connector: what the language model sees of it. */
export interface VisualTokens {
  /** float32 `[tokens, width]`, row by row. */
  readonly data: Float32Array
  readonly tokens: number
  /** Width of the language model. */
  readonly width: number
  /** Milliseconds spent in the connector. */
  readonly connectMs: number
}

/** Per call: settings that differ from the defaults, and how to stop it or listen to it. */
export interface GenerateOptions extends Partial<GenerationSettings> {
  /**
   * Earlier rounds about the same visual tokens, in order, which the question goes on with; for the first question of a conversation
   * an empty list. What was taken in of them is kept, so that a round costs its own tokens. @default a question by itself
   */
  readonly rounds?: readonly Round[]
  /** Stops the run between two tokens; the promise rejects with `ABORTED`. */
  readonly signal?: AbortSignal
  /** Called with each new piece of text: whole characters only. */
  readonly onDelta?: (text: string) => void
}

/** A generated answer. */
export interface Generation {
  readonly text: string
  /** Token ids as generated, end tokens included. */
  readonly tokenIds: readonly number[]
  readonly finishReason: 'stop' | 'length'
  readonly tokens: { readonly visual: number; readonly prompt: number; readonly answer: number }
  /** Whether the prompt's end was cut at the model's length limit. */
  readonly isTruncated: boolean
  readonly timingsMs: { readonly prefill: number; readonly decode: number }
}

/**
 * A loaded model. Knows no RxJS and no video: pixels in, text out.
 *
 * All calls may overlap: answers gain tokens side by side on the model's own thread, in turn with pictures and clips.
 *
 * @throws each call: {StreamError} `SETTING_INVALID`, `MODEL_FAILED`, `MODEL_WORKER_DIED`, `MODEL_DISPOSED`,
 *   `ABORTED`; `generate` also `PART_UNKNOWN` (the template) and `PROMPT_TOO_LONG`.
 */
export interface Model {
  readonly info: ModelInfo
  /** Runs preprocessing and the vision tower; one result a picture, in order. */
  encode(pictures: readonly Pixels[], options?: { signal?: AbortSignal }): Promise<readonly FrameFeatures[]>
  /** Runs the connector over a whole clip. */
  connect(frames: readonly FrameFeatures[], options?: { signal?: AbortSignal }): Promise<VisualTokens>
  /**
   * Answers one question about a clip.
   *
   * @param visual `null`: the question shows nothing, and the language model answers it alone. Its prompt is never cut.
   */
  generate(visual: VisualTokens | null, question: string, options?: GenerateOptions): Promise<Generation>
  /** Ends the worker and frees everything. Work under way rejects with `MODEL_DISPOSED`. */
  dispose(): Promise<void>
}
