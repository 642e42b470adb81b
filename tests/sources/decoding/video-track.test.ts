import { expect, test } from 'vitest'

import { listVideo } from '../../../src/sources/decoding/video-track.js'
import { BUNNY } from '../helpers/media.js'

test('a listing that was stopped ends with ABORTED, also where ffmpeg ends before it is killed', async () => {
  const controller = new AbortController()
  // A terminal's Ctrl-C reaches ffmpeg by itself: it has ended, and nothing is left to be killed.
  controller.signal.addEventListener = () => {
    controller.abort()
  }
  await expect(listVideo(BUNNY, controller.signal)).rejects.toMatchObject({ code: 'ABORTED' })
})
