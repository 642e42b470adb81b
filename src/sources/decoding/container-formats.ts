/**
 * The demuxers ffmpeg may choose for a file: containers that hold their media themselves, by ffmpeg's names.
 *
 * What isn't here is refused before it is opened. Left out on purpose are all that make ffmpeg open *other*
 * files or hosts named inside the input: `concat`, `hls`, `dash`, `imf`, `sdp`, `rtsp`, `vobsub`,
 * `webm_dash_manifest`, `image2` (patterns) and every device. Sound-only containers are in, so that such a
 * file is told "no video track" and not "unknown format".
 */
export const SELF_CONTAINED_FORMATS = [
  // Containers.
  ...['mov', 'mp4', 'matroska', 'webm', 'mpegts', 'mpeg', 'avi', 'flv', 'asf', 'ogg', 'nut', 'ivf', 'rm', 'dv', 'mxf'],
  // Raw video streams.
  ...['h264', 'hevc', 'av1', 'obu', 'm4v', 'mpegvideo', 'vc1', 'mjpeg', 'yuv4mpegpipe'],
  // Moving pictures.
  ...['gif', 'apng'],
  // Sound alone.
  ...['mp3', 'wav', 'aac', 'flac'],
] as const

/** The value of ffmpeg's `-format_whitelist`. */
export const FORMAT_ALLOW_LIST: string = SELF_CONTAINED_FORMATS.join(',')
