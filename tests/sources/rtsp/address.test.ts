import { describe, expect, test } from 'vitest'

import { readRtspAddress } from '../../../src/sources/rtsp/address.js'

describe('readRtspAddress', () => {
  test('takes an address apart', () => {
    expect(readRtspAddress('rtsp://10.0.0.7:8554/live/main/?token=abc#top')).toEqual({
      full: 'rtsp://10.0.0.7:8554/live/main/?token=abc',
      shown: 'rtsp://10.0.0.7:8554/live/main/',
      name: '10.0.0.7:8554/live/main',
      isSecret: true,
      isEncrypted: false,
    })
    expect(readRtspAddress(new URL('rtsps://camera/a'))).toMatchObject({ isSecret: false, isEncrypted: true, name: 'camera/a' })
  })

  test.each([
    ['as it should be', 'rtsp://admin:s%2Fe%40t@camera/live', undefined],
    ['with a / and an @ in the password', 'rtsp://admin:s/e@t@camera/live', undefined],
    ['beside the address', 'rtsp://camera/live', { user: 'admin', password: 's/e@t' }],
  ])('finds the login %s, and shows it nowhere else', (_, text, login) => {
    const { full, ...shown } = readRtspAddress(text, login)
    expect([new URL(full).username, decodeURIComponent(new URL(full).password)]).toEqual(['admin', 's/e@t'])
    expect(new URL(full).host).toBe('camera')
    expect(shown).toMatchObject({ shown: 'rtsp://camera/live', name: 'camera/live', isSecret: true })
    expect(JSON.stringify(shown)).not.toContain('admin')
  })

  test.each([
    ['http://camera/live', 'rtsp://'],
    ['clip.mp4', '`file(…)`'],
    ['rtsp://', 'rtsp://'],
    ['rtsp://admin:sec/ret@', "can't be read"],
    ['rtsp://admin:sec/ret@:x/', "can't be read"],
    [7, 'number'],
    [undefined, 'undefined'],
  ])('refuses %s', (text, advice) => {
    const refusal: unknown = expect.objectContaining({ code: 'SETTING_INVALID', message: expect.stringContaining(advice) as string })
    expect(() => readRtspAddress(text)).toThrow(refusal)
    expect(() => readRtspAddress(text)).not.toThrow(/sec\/ret/)
  })

  test('refuses two logins', () => {
    const refusal: unknown = expect.objectContaining({ code: 'SETTING_INVALID', message: expect.stringContaining('once') as string })
    expect(() => readRtspAddress('rtsp://a:b@camera/live', { user: 'c' })).toThrow(refusal)
  })
})
