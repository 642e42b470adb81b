/** Reads a camera; ends at once when told so on stdin: for tests that look for what it leaves behind. */
import { allFrames } from '../../../src/sampling/all-frames.js'
import { rtsp } from '../../../src/sources/rtsp.js'

const [address = '', noFrameTimeoutMs = ''] = process.argv.slice(2)
const source = rtsp(address, { sampling: allFrames(), noFrameTimeoutMs: Number(noFrameTimeoutMs) })
source.streams.subscribe(({ frames }) => frames.subscribe())
process.stdin.once('data', () => process.exit(130))
