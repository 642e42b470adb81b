import { map, tap } from 'rxjs'
import { afterAll, beforeAll, expect, test } from 'vitest'

import type { Pixels } from '../../../src/model/model.js'
import { encode } from '../../../src/operators/encode.js'
import { slidingWindow } from '../../../src/operators/sliding-window.js'
import { byFps } from '../../../src/sampling/by-fps.js'
import { rtsp } from '../../../src/sources/rtsp.js'
import type { Clip, Frame } from '../../../src/types.js'
import { createInstantModel, features } from '../../operators/fakes.js'
import { type RtspServer, describeWithRtsp, startRtspServer } from '../../support/rtsp-server.js'
import { onlyStream } from '../helpers/frames.js'
import { isBalanced } from '../helpers/live.js'
import { MediaFolder } from '../helpers/media.js'

const media = new MediaFolder()

/** Grey with a sensor's noise; for the last two of four seconds a small white box. */
function yardClip(): string {
  const yard = ['-f', 'lavfi', '-i', 'color=c=gray:s=320x240:r=10', '-t', '4']
  const filters = "drawbox=x=200:y=100:w=16:h=16:c=white:t=fill:enable='gte(t,2)',noise=c0s=8:c0f=t+u"
  const h264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '0', '-g', '10', '-pix_fmt', 'yuv420p']
  return media.make('yard.mp4', [...yard, '-vf', filters, ...h264])
}

/** Whether the box is there. */
function hasBox({ data, width }: Pixels): number {
  return (data[(108 * width + 208) * 3] ?? 0) > 200 ? 1 : 0
}

describeWithRtsp('skipStatic over a real server', () => {
  let server: RtspServer

  beforeAll(async () => {
    server = await startRtspServer({ mounts: { '/yard': { codec: 'h264', clip: yardClip() } } })
  })
  afterAll(() => server.stop())

  test('encodes what is new, in each epoch, and no frame is told to show what it does not', async () => {
    const seeing = (pictures: readonly Pixels[]) => Promise.resolve(pictures.map((one) => features(hasBox(one))))
    const model = { ...createInstantModel(), encode: seeing }
    const { info, frames } = await onlyStream(rtsp(server.address('/yard'), { sampling: byFps(10), bufferFrames: 100 }))
    const shown = new Map<string, number>()
    const clips: Clip[] = []
    const keyOf = ({ stream, index }: Pick<Frame, 'stream' | 'index'>) => `${stream.epoch} ${index}`
    const subscription = frames
      .pipe(
        tap((frame) => shown.set(keyOf(frame), hasBox(frame))),
        encode(model, { skipStatic: true }),
        slidingWindow({ frames: 10 }),
        map((clip) => clips.push(clip)),
      )
      .subscribe()
    await expect.poll(() => clips.length, { timeout: 60_000 }).toBeGreaterThan(4)
    await server.restart()
    const before = clips.length
    await expect.poll(() => clips.length, { timeout: 60_000 }).toBeGreaterThan(before + 1)
    subscription.unsubscribe()

    const seen = clips.flatMap((clip) => clip.frames)
    expect(seen.filter((frame) => frame.features.data[0] !== shown.get(keyOf(frame)))).toEqual([])
    expect(new Set(seen.map((frame) => frame.features.data[0]))).toEqual(new Set([0, 1]))
    const epochs = [...new Set(seen.map(({ stream }) => stream.epoch))]
    expect(epochs).toHaveLength(2)
    // The first of each epoch is encoded, whatever came before.
    const firsts = epochs.map((epoch) => seen.find(({ stream }) => stream.epoch === epoch))
    expect(firsts.every((frame) => (frame?.encodeMs ?? 0) > 0)).toBe(true)
    expect(firsts[1]?.features).not.toBe(firsts[0]?.features)
    const counts = info.ledger.counts()
    expect(isBalanced(counts)).toBe(true)
    expect(counts.static).toBeGreaterThan(counts.encoded * 4)
  })
})
