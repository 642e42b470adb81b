/**
 * Which frames of a stream are wanted: a value handed to a source, which carries it out inside the
 * decoder, or to the `sample` operator, which carries it out on any stream of frames.
 */
export type Sampling =
  /** Every frame. */
  | { readonly kind: 'all' }
  /** At most `fps` frames for each second of media time. */
  | { readonly kind: 'fps'; readonly fps: number }
  /** `frames` frames spread evenly from the first to the last, as numpy's `linspace` does it. */
  | { readonly kind: 'uniform'; readonly frames: number }
  /** As `uniform`, with one frame for each whole second of the video, at most `maxFrames`. */
  | { readonly kind: 'uniform-per-second'; readonly maxFrames: number }
