/**
 * The closed list of error codes, each with whether trying again can help.
 *
 * A malformed input is permanent; a worker that died, a full disk or a stream that broke may come back.
 * `docs/ERRORS.md` describes each code for users.
 */
const ERROR_CODES = {
  SETTING_INVALID: { canRetry: false },
  PART_UNKNOWN: { canRetry: false },
  ABORTED: { canRetry: false },

  FFMPEG_NOT_FOUND: { canRetry: false },
  FFMPEG_TOO_OLD: { canRetry: false },
  HWACCEL_UNAVAILABLE: { canRetry: false },
  VIDEO_NOT_FOUND: { canRetry: false },
  VIDEO_NOT_A_FILE: { canRetry: false },
  VIDEO_EMPTY: { canRetry: false },
  VIDEO_UNREADABLE: { canRetry: false },
  VIDEO_FORMAT_REFUSED: { canRetry: false },
  VIDEO_NO_TRACK: { canRetry: false },
  VIDEO_NO_FRAMES: { canRetry: false },
  VIDEO_DECODER_FAILED: { canRetry: true },
  VIDEO_DAMAGED: { canRetry: false },
  VIDEO_DOWNLOAD_FAILED: { canRetry: true },
  VIDEO_TOO_LARGE: { canRetry: false },
  ADDRESS_NOT_ALLOWED: { canRetry: false },
  DIRECTORY_UNREADABLE: { canRetry: false },

  FRAME_UNREADABLE: { canRetry: false },
  FRAME_TOO_LARGE: { canRetry: false },

  MESSAGE_EMPTY: { canRetry: false },
  MESSAGE_TYPE_UNKNOWN: { canRetry: false },
  MESSAGE_INVALID: { canRetry: false },
  MESSAGE_TOO_LARGE: { canRetry: false },

  RTSP_UNAUTHORIZED: { canRetry: false },
  RTSP_NO_VIDEO: { canRetry: false },
  RTSP_REDIRECTED: { canRetry: false },
  RTSP_UNREACHABLE: { canRetry: true },
  RTSP_DISCONNECTED: { canRetry: true },
  RTSP_SILENT: { canRetry: true },
  RTSP_FROZEN: { canRetry: true },
  RTSP_CHANGED: { canRetry: true },
  LIVE_BUFFER_FULL: { canRetry: true },

  CHECKPOINT_NOT_FOUND: { canRetry: false },
  CHECKPOINT_CONFIG_INVALID: { canRetry: false },
  CHECKPOINT_WEIGHTS_INVALID: { canRetry: false },
  CHECKPOINT_TENSOR_MISSING: { canRetry: false },
  CHECKPOINT_TENSOR_UNUSED: { canRetry: false },
  CHECKPOINT_UNSAFE: { canRetry: false },
  CHECKPOINT_UNSUPPORTED: { canRetry: false },
  TOKENIZER_INVALID: { canRetry: false },
  CONVERT_OUTPUT_EXISTS: { canRetry: false },
  CONVERT_NO_SPACE: { canRetry: true },
  CONVERT_NO_MEMORY: { canRetry: true },
  CONVERT_NOT_WRITABLE: { canRetry: false },
  CONVERT_INACCURATE: { canRetry: false },
  VERIFY_DIFFERS: { canRetry: false },

  HUB_REPOSITORY_UNKNOWN: { canRetry: false },
  HUB_REVISION_UNKNOWN: { canRetry: false },
  HUB_UNAUTHORIZED: { canRetry: false },
  HUB_UNREACHABLE: { canRetry: true },
  HUB_ANSWER_INVALID: { canRetry: false },
  HUB_OFFLINE: { canRetry: false },
  HUB_CHECKSUM: { canRetry: true },
  HUB_NO_SPACE: { canRetry: true },
  HUB_CACHE_NOT_WRITABLE: { canRetry: false },

  BUNDLE_NOT_FOUND: { canRetry: false },
  BUNDLE_INVALID: { canRetry: false },
  BUNDLE_VERSION: { canRetry: false },
  BUNDLE_DAMAGED: { canRetry: false },

  CLIP_TOO_LONG: { canRetry: false },

  DEVICE_UNAVAILABLE: { canRetry: false },
  MODEL_FAILED: { canRetry: true },
  MODEL_WORKER_DIED: { canRetry: true },
  MODEL_DISPOSED: { canRetry: false },
  PROMPT_TOO_LONG: { canRetry: false },

  SINK_FAILED: { canRetry: true },
  SOURCE_UNKNOWN: { canRetry: false },
  STREAM_REVOKED: { canRetry: true },

  KAFKA_FAILED: { canRetry: true },
  KAFKA_UNAUTHORIZED: { canRetry: false },
  KAFKA_TOPIC_UNKNOWN: { canRetry: false },
  KAFKA_TOO_LARGE: { canRetry: false },
  KAFKA_CODEC_MISSING: { canRetry: false },

  PIPELINE_INVALID: { canRetry: false },

  EVAL_DATA_NOT_FOUND: { canRetry: false },
  EVAL_DATA_INVALID: { canRetry: false },
  EVAL_VIDEO_DIFFERS: { canRetry: false },
  EVAL_RESULTS_EXIST: { canRetry: false },
  EVAL_RESULTS_DIFFER: { canRetry: false },

  HTTP_LISTEN_FAILED: { canRetry: true },
  HTTP_REQUEST_INVALID: { canRetry: false },
  HTTP_UNAUTHORIZED: { canRetry: false },
  HTTP_FORBIDDEN: { canRetry: false },
  HTTP_NOT_FOUND: { canRetry: false },
  HTTP_TOO_LARGE: { canRetry: false },
  HTTP_MEDIA_TYPE: { canRetry: false },
  HTTP_BUSY: { canRetry: true },
} as const satisfies Record<string, { canRetry: boolean }>

/** One of the closed list of error codes. */
export type ErrorCode = keyof typeof ERROR_CODES

/** Every error code, for documents and exhaustive tests. */
export const errorCodes = Object.keys(ERROR_CODES) as readonly ErrorCode[]

/** What an error carries beside its code and message. */
export interface StreamErrorOptions {
  /** The error that led to this one. */
  readonly cause?: unknown
}

/**
 * The one error class of tinyllava-stream: a code to branch on, a message that says what happened,
 * where, and what to do next.
 *
 * Messages never hold a credential: addresses pass through `redactUrl` first.
 *
 * @example
 * ```ts
 * try {
 *   await model.ask('clip.mp4', 'What happens?')
 * } catch (error) {
 *   if (error instanceof StreamError && error.code === 'VIDEO_NOT_FOUND') …
 * }
 * ```
 */
export class StreamError extends Error {
  override readonly name = 'StreamError'
  readonly code: ErrorCode
  /** Whether the same call may succeed later without anybody changing its input. */
  readonly canRetry: boolean

  constructor(code: ErrorCode, message: string, options: StreamErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.canRetry = ERROR_CODES[code].canRetry
  }
}

/** Returns the error as it is if it is coded already, else wrapped under `code`. */
export function asStreamError(error: unknown, code: ErrorCode, context: string): StreamError {
  if (error instanceof StreamError) return error
  const detail = error instanceof Error ? error.message : String(error)
  return new StreamError(code, `${context}: ${detail}`, { cause: error })
}

/** Throws `ABORTED` if the signal was aborted; `what` names the work for the message. */
export function throwIfAborted(signal: AbortSignal | undefined, what: string): void {
  if (signal?.aborted === true) throw abortError(what, signal.reason)
}

/** The error that aborted work ends with. */
export function abortError(what: string, reason?: unknown): StreamError {
  return new StreamError('ABORTED', `${what} was stopped before it finished.`, { cause: reason })
}
