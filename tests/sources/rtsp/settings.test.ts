import { describe, expect, onTestFinished, test, vi } from 'vitest'

import { byFps } from '../../../src/sampling/by-fps.js'
import { uniform } from '../../../src/sampling/uniform.js'
import { rtsp } from '../../../src/sources/rtsp.js'
import { type RtspOptions, checkRtspOptions } from '../../../src/sources/rtsp/settings.js'

function messageOf(options: unknown): string {
  try {
    checkRtspOptions(options as RtspOptions)
  } catch (error) {
    expect(error).toMatchObject({ code: 'SETTING_INVALID' })
    return (error as Error).message
  }
  throw new Error('It was not refused.')
}

describe('settings of rtsp', () => {
  test('have defaults', () => {
    expect(checkRtspOptions({})).toEqual({
      ...{ sampling: byFps(1), transport: 'tcp', login: {}, noFrameTimeoutMs: 10_000, frozenAfterMs: 60_000 },
      reconnect: { minDelayMs: 500, maxDelayMs: 30_000, maxAttempts: Infinity },
      ...{ bridgeGapsMs: 0, bufferFrames: 4, whenFull: 'latest', maxFramesInFlight: 4 },
    })
  })

  test('are refused all at once, each with its path, and without a value', () => {
    const message = messageOf({
      ...{ transport: 'http', password: 7, noFrameTimeoutMs: 0, bufferFrames: 0, whenFull: 'newest', durationMs: -1 },
      ...{ reconnect: { minDelayMs: 'hunter2' }, questions: [''], colour: 'red' },
    })
    const paths = ['transport', 'password', 'noFrameTimeoutMs', 'bufferFrames', 'whenFull', 'durationMs', 'reconnect.minDelayMs']
    for (const path of [...paths, 'questions[0]', 'colour']) expect(message).toContain(path)
    expect(message).not.toContain('hunter2')
  })

  test('refuse a sampling that needs an end', () => {
    expect(messageOf({ sampling: uniform(16) })).toContain('byFps')
  })

  test('read the login from the environment', () => {
    vi.stubEnv('DOOR_PASSWORD', 'hunter2')
    onTestFinished(() => {
      vi.unstubAllEnvs()
    })
    const { login } = checkRtspOptions({ user: 'admin', passwordEnv: 'DOOR_PASSWORD' })
    expect(login).toEqual({ user: 'admin', password: 'hunter2' })
    expect(messageOf({ password: 'x', passwordEnv: 'DOOR_PASSWORD' })).toContain('`passwordEnv` are both given')
    expect(messageOf({ userEnv: 'NO_SUCH_USER' })).toContain('NO_SUCH_USER')
  })
})

test('a source is named by its host and path, or as it is told', () => {
  expect(rtsp('rtsp://admin:secret@10.0.0.7:8554/live?token=1')).toMatchObject({ kind: 'rtsp', id: '10.0.0.7:8554/live' })
  expect(rtsp('rtsp://10.0.0.7/live', { id: 'door' }).id).toBe('door')
})
