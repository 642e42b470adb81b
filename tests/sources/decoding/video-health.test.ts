import { describe, expect, test } from 'vitest'

import type { DecodeJob } from '../../../src/sources/decoding/seek-plan.js'
import { VideoHealth } from '../../../src/sources/decoding/video-health.js'
import type { VideoTrack } from '../../../src/sources/decoding/video-track.js'
import { trackOf } from '../helpers/track.js'

const job: DecodeJob = {
  seekSeconds: undefined,
  pictures: [0, 50, 99].map((index) => ({ index, times: 1 })),
  decodedPictures: 100,
}
const wellEnded = { exitCode: 0, lastLines: [] }

function healthOf(track: Partial<VideoTrack> = {}): VideoHealth {
  const health = new VideoHealth()
  health.begin({ ...trackOf({ pictures: 100 }), ...track }, [job])
  return health
}

describe('VideoHealth', () => {
  test('is whole before anything is known', () => {
    expect(new VideoHealth().health()).toEqual({ coverage: 1, warnings: [] })
  })

  test('is whole where all came out', () => {
    const health = healthOf()
    health.jobEnded(job, 0, wellEnded)
    expect(health.health()).toEqual({ coverage: 1, warnings: [] })
  })

  test('counts the length that is missing, but not what rounding makes of it', () => {
    expect(healthOf({ announcedSeconds: 4.4 }).health()).toEqual({ coverage: 1, warnings: [] })
    expect(healthOf({ announcedSeconds: 16 }).health()).toEqual({
      coverage: 0.25,
      warnings: ['The file is cut off: it ends after 4.0 of 16.0 seconds.'],
    })
    expect(healthOf({ announcedSeconds: undefined }).health().coverage).toBe(1)
  })

  test('warns of a last picture that was left out', () => {
    expect(healthOf({ isLastCut: true }).health().warnings).toEqual([
      'The file ends in the middle of its last picture, which is left out.',
    ])
  })

  test('counts the wanted pictures that did not come out, rounded down', () => {
    const health = healthOf()
    health.jobEnded(job, 1, wellEnded)
    expect(health.health().coverage).toBe(0.6666)
    expect(health.health().warnings).toHaveLength(1)
  })

  test.each([
    '[error] Error while decoding stream #0:0: Invalid data found when processing input',
    '[warning] file:/clip.mp4: corrupt decoded frame in stream 0',
    '[vist#0:0/h264 @ 0x1] [dec:h264 @ 0x2] [error] Error submitting packet to decoder: Invalid data found',
    '[vist#0:0/h264 @ 0x1] [dec:h264 @ 0x2] [error] Decoding error: Invalid data found when processing input',
  ])('counts a picture the decoder complains of: %s', (line) => {
    const health = healthOf()
    health.line(line)
    health.line(line)
    expect(health.health().coverage).toBe(0.98)
    expect(health.health().warnings).toHaveLength(1)
  })

  test('counts one defect once: what is missing is not damaged as well', () => {
    const health = healthOf()
    health.line('[error] Error while decoding stream #0:0: Invalid data')
    health.jobEnded(job, 1, wellEnded)
    expect(health.health().coverage).toBe(0.6666)
  })

  test('measures complaints against all that is decoded, also where pictures are decoded once more', () => {
    const health = healthOf()
    health.readAgain([job], 'They were read again.')
    health.line('[error] Error while decoding stream #0:0: Invalid data')
    expect(health.health().coverage).toBe(0.995)
    expect(health.health().warnings).toContain('They were read again.')
  })

  test('passes over what decoders say of little things', () => {
    const health = healthOf()
    health.line('[h264 @ 0x1] [error] mmco: unref short failure')
    expect(health.health()).toEqual({ coverage: 1, warnings: [] })
  })

  test('warns where the decoder gave up', () => {
    const health = healthOf()
    health.jobEnded(job, 0, { exitCode: 69, lastLines: ['[out#0/nut @ 0x1] [error] Something broke.'] })
    expect(health.health().warnings).toEqual(['The decoder gave up before the end: Something broke.'])
  })
})
