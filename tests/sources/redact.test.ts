import { expect, test } from 'vitest'

import { redactAddress, redactStart, redactUrl } from '../../src/sources/redact.js'

test.each([
  ['rtsp://admin:secret@10.0.0.7/live', 'rtsp://***@10.0.0.7/live'],
  ['rtsp://admin:se@cr/et@10.0.0.7/live', 'rtsp://***@10.0.0.7/live'],
  ['https://host/clip.mp4?token=secret&x=1', 'https://host/clip.mp4?***'],
  ["opening 'http://u:p@a/b?k=v' and http://u@c failed", "opening 'http://***@a/b?***' and http://***@c failed"],
  ['/home/me@work/clip.mp4?', '/home/me@work/clip.mp4?'],
])('%s', (text, expected) => {
  expect(redactUrl(text)).toBe(expected)
})

test.each([
  ['rtsp://admin:secret@10.0.0.7/live', 'rtsp://***@10.0.0.7/live'],
  ['a text that is longer than the place of the cut', 'a text that is longer than the place'],
  [`no rtsp://admin:${'secret'.repeat(9)}@10.0.0.7/live`, 'no rtsp://***'],
  [`no rtsp://u:p@a and rtsp://u:se@${'cret'.repeat(9)}@b`, 'no rtsp://***@a and rtsp://***'],
])('the start: %s', (text, expected) => {
  expect(redactStart(text, 36)).toBe(expected)
})

test.each([
  ['rtsp://admin:se cr\'et@10.0.0.7/live?a=1', 'rtsp://***@10.0.0.7/live?***'],
  ['/home/me/rtsp:/admin:se@cr/et@10.0.0.7/live', '/home/me/rtsp:/***@10.0.0.7/live'],
  ['https://host/clip.mp4#secret', 'https://host/clip.mp4#***'],
  ['/home/me@work/clip?.mp4', '/home/me@work/clip?.mp4'],
  ['C:/me@work/clip.mp4', 'C:/me@work/clip.mp4'],
])('as a whole: %s', (text, expected) => {
  expect(redactAddress(text)).toBe(expected)
})
