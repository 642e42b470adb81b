import { describe, expect, test } from 'vitest'

import { connectionError, hasNothingToPlay, redirectedError, silentError } from '../../../src/sources/rtsp/errors.js'

const SHOWN = 'rtsp://camera/live'
const end = (...lastLines: string[]) => ({ exitCode: 1, lastLines })

describe('connectionError', () => {
  test.each([
    ['[error] rtsp://camera/live: Server returned 401 Unauthorized (authorization failed)', 'RTSP_UNAUTHORIZED', false],
    ['[error] rtsp://camera/live: Server returned 403 Forbidden (access denied)', 'RTSP_UNAUTHORIZED', false],
    ["[fatal] Stream map '0:V:0' matches no streams.", 'RTSP_NO_VIDEO', false],
    ['[fatal] Decoder (codec vvc) not found for input stream #0:0', 'RTSP_NO_VIDEO', false],
    ['[rtsp @ 0x5] [error] method DESCRIBE failed: 404 Not Found', 'RTSP_UNREACHABLE', true],
    ['[rtsp @ 0x5] [error] method DESCRIBE failed: 404 Stream Not Found', 'RTSP_UNREACHABLE', true],
    ['[tcp @ 0x5] [error] Failed to resolve hostname camera: Name or service not known', 'RTSP_UNREACHABLE', true],
    ['[tcp @ 0x5] [error] Connection to tcp://camera:554?timeout=0 failed: Connection refused', 'RTSP_UNREACHABLE', true],
    ['[error] rtsp://camera/live: Input/output error', 'RTSP_UNREACHABLE', true],
    ["[error] Unrecognized option 'reinit_filter'.", 'FFMPEG_TOO_OLD', false],
    ['[info] Exiting normally, received signal 15.', 'VIDEO_DECODER_FAILED', true],
  ])('reads %s', (line, code, canRetry) => {
    expect(connectionError(SHOWN, end('[info] something else', line), false)).toMatchObject({ code, canRetry })
  })

  test('is a lost connection once there were pictures, whatever ffmpeg says, and also where it says that all is well', () => {
    expect(connectionError(SHOWN, { exitCode: 0, lastLines: [] }, true)).toMatchObject({ code: 'RTSP_DISCONNECTED', canRetry: true })
    expect(connectionError(SHOWN, end('[error] method TEARDOWN failed: 401 Unauthorized'), true).code).toBe('RTSP_DISCONNECTED')
  })

  test('has a message that names the camera and what to do', () => {
    expect(connectionError(SHOWN, end('401 Unauthorized'), false).message).toBe(
      'rtsp://camera/live refused the login (401). Check user and password.',
    )
    expect(connectionError(SHOWN, { exitCode: 0, lastLines: [] }, false).message).toContain('it gave no reason')
  })
})

test('a watchdog says how long it waited, and a redirect is final', () => {
  expect(silentError(SHOWN, 1500)).toMatchObject({ code: 'RTSP_SILENT', canRetry: true })
  expect(silentError(SHOWN, 1500).message).toContain('1.5 s')
  expect(silentError(SHOWN, 1500).message).not.toContain('IDR')
  expect(silentError(SHOWN, 1500, { keyframesOnly: true }).message).toContain('needs IDR keyframes')
  expect(redirectedError(SHOWN)).toMatchObject({ code: 'RTSP_REDIRECTED', canRetry: false })
})

test('hasNothingToPlay', () => {
  expect(hasNothingToPlay(end('[rtsp @ 0x5] [error] method PLAY failed: 454 Session Not Found'))).toBe(true)
  expect(hasNothingToPlay(end('[rtsp @ 0x5] [error] method DESCRIBE failed: 404 Not Found'))).toBe(false)
})
