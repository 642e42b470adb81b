/**
 * The records that flow through a pipeline: `Frame` → `EncodedFrame` → `Clip` → `Result`.
 *
 * All are frozen by convention (`readonly`): an operator makes a new record and never changes one it was handed.
 */
import type { Transaction } from './delivery.js'
import type { Ledger, Receipt } from './ledger.js'
import type { Need } from './needs.js'

/** What was asked. A question of a clip or of a pipeline. */
export type Question = string

/** A question of a conversation, and what it was answered. */
export interface Round {
  readonly question: Question
  readonly answer: string
}

/** A stretch of media time, both ends included. */
export interface MediaSpan {
  readonly startMs: number
  readonly endMs: number
}

/** How much of a stream could be read so far. */
export interface StreamHealth {
  /** Share of the wanted media that was really had, 0 to 1; 1 where nothing is missing. */
  readonly coverage: number
  /** Plain sentences for the user, each naming one defect found while reading. */
  readonly warnings: readonly string[]
}

/** One stream of frames (a file, a camera, a Kafka key), shared by all its frames. */
export interface StreamInfo {
  /** Stable name of the stream, part of every answer's id; never an address with credentials. */
  readonly id: string
  /** Counts the uninterrupted runs of a live stream; 0 for a file. */
  readonly epoch: number
  /** The kind of source the stream came from, e.g. `file`. */
  readonly kind: string
  /** Whether media time goes on without end. */
  readonly isLive: boolean
  /** Questions the stream itself carries; they override the pipeline's. */
  readonly questions?: readonly Question[]
  /** Counts of every frame and question of the stream; what pacing and draining go by. */
  readonly ledger: Ledger
  /** Whether the result of this id was delivered by an earlier process: it isn't asked for again. */
  isAnswered?(id: string): boolean
  /** How results become visible together with the stream's progress; none where sinks are written to one by one. */
  readonly transaction?: Transaction
  /**
   * What could be read so far. Read when a clip is closed; can fall until the stream has ended.
   *
   * @param span Of a live stream: the stretch that is asked about. Left out: the last minute.
   */
  health(span?: MediaSpan): StreamHealth
  /** Pictures that were thinned out inside the decoder so far and never handed out: an estimate. Live streams only. */
  thinnedEstimate?(): number
}

/**
 * What a picture is to a model, which was trained on both in different ways: a `frame` of a video, or a `picture` by
 * itself, which is laid on a square where the model's `image_aspect_ratio` is `pad`.
 */
export type PixelKind = (typeof PIXEL_KINDS)[number]

/** All kinds of pictures. */
export const PIXEL_KINDS = ['frame', 'picture'] as const

/** One decoded picture. */
export interface Frame {
  readonly stream: StreamInfo
  /** Place of the picture in its stream's display order, counted from 0 over all pictures, kept or not. */
  readonly index: number
  /** Media time in milliseconds (microsecond resolution) from the stream's first shown picture. */
  readonly ptsMs: number
  /** When the picture was taken, ISO 8601, where that is known (live streams). */
  readonly capturedAt?: string
  /** Width in pixels, rotation applied. */
  readonly width: number
  /** Height in pixels, rotation applied. */
  readonly height: number
  /** RGB, 8 bits a channel, row by row without padding: `height * width * 3` bytes. */
  readonly data: Uint8Array
  /** @default 'frame' */
  readonly kind?: PixelKind
  /** Trace context (W3C `traceparent`, `tracestate`) that came with the frame. */
  readonly trace?: Readonly<Record<string, string>>
  /** Settled exactly once by whoever ends the frame's life: `encode`, a thinning operator, a drop rule. */
  readonly receipt: Receipt
}

/** A frame after the vision tower; its pixels are gone. */
export interface EncodedFrame {
  readonly stream: StreamInfo
  readonly index: number
  readonly ptsMs: number
  readonly capturedAt?: string
  readonly trace?: Readonly<Record<string, string>>
  /** Place of the frame in what its source reads: its receipt's position. */
  readonly position: number
  readonly features: FrameFeatures
  /** Milliseconds from handing the frame to the model to its features: waiting for the model's turn, preprocessing, tower. */
  readonly encodeMs: number
  /** When the frame came to `encode`, in milliseconds of this process's `performance.now()`. */
  readonly arrivedAtMs: number
}

/** What the vision tower made of one frame. */
export interface FrameFeatures {
  /**
   * `[tokens, width]`, row by row: float32; bit patterns of float16 where the tower's weights aren't float32, whose own
   * error is far larger than what is rounded away. `floatFeatures` makes float32 of either.
   */
  readonly data: Float32Array | Uint16Array
  /** Number of visual tokens of the frame. */
  readonly tokens: number
  /** Width of the vision tower. */
  readonly width: number
}

/** Encoded frames that are asked about together, in media time order. */
export interface Clip {
  readonly stream: StreamInfo
  /** At least one. */
  readonly frames: readonly EncodedFrame[]
  /** Media time of the first frame. */
  readonly startMs: number
  /** Media time of the last frame. */
  readonly endMs: number
  /** Share of the frames the clip should have had, 0 to 1. */
  readonly coverage: number
  /** Plain sentences about what is missing or was repaired. */
  readonly warnings: readonly string[]
  /** What must be read again to make the clip anew. @default its first frame and all after it */
  readonly need?: Need
}
