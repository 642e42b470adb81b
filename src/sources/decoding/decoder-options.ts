/** How ffmpeg decodes. */
export interface DecoderOptions {
  /** Passes over all pictures that aren't keyframes. @default false */
  readonly keyframesOnly?: boolean
  /** Method of `-hwaccel`, checked by `expectHwaccel`. @default none: the processor decodes */
  readonly hwaccel?: string | undefined
}

/** ffmpeg's options for that, to stand before its input. */
export function decoderArguments({ keyframesOnly = false, hwaccel }: DecoderOptions): readonly string[] {
  return [
    ...(hwaccel === undefined ? [] : ['-hwaccel', hwaccel]),
    // With several threads a picture comes out only when the next keyframes are in.
    ...(keyframesOnly ? ['-skip_frame', 'nokey', '-threads', '1'] : []),
  ]
}
