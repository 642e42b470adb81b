/**
 * Which frames of a stream are wanted: a value handed to a source, which carries it out inside the
 * decoder, or to the `sample` operator, which carries it out on any stream of frames.
 */
export type Sampling = Exactness &
  (
    | /** Every frame. */
    { readonly kind: 'all' }
    /** At most `fps` frames for each second of media time. */
    | { readonly kind: 'fps'; readonly fps: number }
    /** `frames` frames spread evenly from the first to the last, as numpy's `linspace` does it. */
    | { readonly kind: 'uniform'; readonly frames: number }
    /** As `uniform`, with one frame for each whole second of the video, at most `maxFrames`. */
    | { readonly kind: 'uniform-per-second'; readonly maxFrames: number }
    /** The frames at these places, counted from 0. */
    | { readonly kind: 'indices'; readonly indices: readonly number[] }
  )

/** Whether the frames have to be the very ones that the rule names. */
export interface Exactness {
  /**
   * Takes keyframes only: they are decoded by themselves, at a fraction of the work, and lie where the
   * encoder put them, often seconds apart.
   *
   * - `all` and `fps`: the rule is carried out as if the stream had no other frames.
   * - `uniform`, `uniform-per-second` and `indices`: in place of each frame the keyframe nearest to it, each once. So there
   *   are fewer frames than were asked for where there are fewer keyframes, and the stream's health warns.
   *
   * Each frame has its own time and place in the stream. A file whose keyframes have no times (AVI with
   * B-frames, raw streams) is read exactly, with a warning.
   *
   * @default false
   */
  readonly keyframesOnly?: boolean
}
