import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { type RtspServer, describeWithRtsp, startRtspServer } from '../../support/rtsp-server.js'
import { isBalanced } from '../helpers/live.js'
import type { LoadReport } from '../helpers/live-load.js'
import { MediaFolder } from '../helpers/media.js'
import { testClip } from '../helpers/rtsp-clips.js'

const media = new MediaFolder()
const LOAD = fileURLToPath(new URL('../helpers/live-load.ts', import.meta.url))
const MIB = 2 ** 20

describeWithRtsp('eight cameras and a model slower than all of them together', () => {
  let server: RtspServer
  let report: LoadReport

  beforeAll(async () => {
    server = await startRtspServer({ mounts: { '/door': testClip(media) } })
    const args = ['node_modules/.bin/jiti', LOAD, server.address('/door'), '1000', '5000']
    const { stdout } = await promisify(execFile)(process.execPath, args)
    report = JSON.parse(stdout) as LoadReport
  })
  afterAll(() => server.stop())

  test('drop frames, count each, and lag no more than their buffers hold', () => {
    expect(report.streams).toHaveLength(8)
    for (const { counts, overtaken, error } of report.streams) {
      expect(error).toBeUndefined()
      expect(isBalanced(counts)).toBe(true)
      expect(counts.dropped['buffer-full']).toBeGreaterThan(counts.encoded)
      // What waited when it was stopped is all that lay between the camera and the model.
      expect(counts.dropped.stopped ?? 0).toBeLessThanOrEqual(4)
      expect(counts.framesInFlight).toBeLessThanOrEqual(4)
      // Each frame is handed out when all before it are accounted for, and none behind it.
      expect(overtaken).toBe(0)
    }
  })

  test('hold as much memory at 5,000 frames as at 1,000', () => {
    const [early = 0, late = 0] = report.retained
    console.info(`retained bytes: ${early} at 1,000 frames, ${late} at 5,000`)
    expect(Math.abs(late - early)).toBeLessThan(2 * MIB)
  })
})
