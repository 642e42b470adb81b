import { expect, test } from 'vitest'

import { redactUrl } from '../../src/sources/redact.js'

test.each([
  ['rtsp://admin:secret@10.0.0.7/live', 'rtsp://***@10.0.0.7/live'],
  ['rtsp://admin:se@cr/et@10.0.0.7/live', 'rtsp://***@10.0.0.7/live'],
  ['https://host/clip.mp4?token=secret&x=1', 'https://host/clip.mp4?***'],
  ["opening 'http://u:p@a/b?k=v' and http://u@c failed", "opening 'http://***@a/b?***' and http://***@c failed"],
  ['/home/me@work/clip.mp4?', '/home/me@work/clip.mp4?'],
])('%s', (text, expected) => {
  expect(redactUrl(text)).toBe(expected)
})
