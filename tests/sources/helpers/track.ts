import type { VideoTrack } from '../../../src/sources/decoding/video-track.js'

/** A made-up track of 25 fps with times in milliseconds. */
export function trackOf({ pictures, keyframeEvery = 25 }: { pictures: number; keyframeEvery?: number }): VideoTrack {
  const ticks = Array.from({ length: pictures }, (_, index) => index * 40)
  return {
    path: '/clip.mp4',
    pixels: 640 * 360,
    timeBase: { numerator: 1, denominator: 1000 },
    ticks,
    firstTicks: 0,
    keyTicks: ticks.filter((_, index) => index % keyframeEvery === 0),
    hasTimestamps: true,
    averageFps: 25,
    startSeconds: 0,
    presentSeconds: pictures / 25,
    announcedSeconds: pictures / 25,
    isLastCut: false,
  }
}
