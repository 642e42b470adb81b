import { Writable } from 'node:stream'

import { describe, expect, test } from 'vitest'

import { consoleSink } from '../../src/sinks/console.js'
import { createAnswer, runSinkContract } from './contract.js'

/** An output that keeps what is printed, until it is told to break. */
function createOutput() {
  let [printed, isBroken] = ['', false]
  const output = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      if (!isBroken) printed += chunk.toString()
      done(isBroken ? Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }) : null)
    },
  })
  return { output, printed: () => printed, breakIt: () => void (isBroken = true) }
}

describe('consoleSink', () => {
  runSinkContract(() => {
    const { output, printed, breakIt } = createOutput()
    const answers = () => printed().split('\n').filter((line) => line.startsWith('  ') && !line.endsWith('?'))
    return Promise.resolve({
      sink: consoleSink({ output }),
      delivered: () => Promise.resolve(answers().map((line) => line.trim())),
      breakIt: () => {
        breakIt()
        return Promise.resolve()
      },
    })
  })

  test('prints a clip’s heading once, with the times of its frames', async () => {
    const { output, printed } = createOutput()
    const sink = consoleSink({ output })
    await sink.write(createAnswer('A circle.'))
    await sink.write(createAnswer('Red.', { question: 'Which colour?' }))
    expect(printed()).toBe(
      'clip  0:00.000 to 0:00.500, 2 frames: 0.000 0.500\n' +
        ['  What?', '  A circle.', '  Which colour?', '  Red.', ''].join('\n'),
    )
  })

  test('prints a new heading for another clip, with what is wrong with it', async () => {
    const { output, printed } = createOutput()
    const sink = consoleSink({ output })
    await sink.write(createAnswer('One.'))
    const frames = [{ index: 1, ptsMs: 59_999.9 }]
    const clip = { ...createAnswer('').clip, startMs: 59_999.9, endMs: 125_040, frames }
    await sink.write(createAnswer('Two.', { clip, degraded: ['The file is cut off.'] }))
    expect(printed().split('\n').slice(3)).toEqual([
      'clip  1:00.000 to 2:05.040, 1 frame: 60.000',
      '  ! The file is cut off.',
      '  What?',
      '  Two.',
      '',
    ])
  })

  test('prints an error result with its code', async () => {
    const { output, printed } = createOutput()
    const { schema, id, pipeline, source, clip, question, model, degraded } = createAnswer('')
    const error = { code: 'MODEL_FAILED', message: 'The decoder failed.' }
    const shared = { schema, id, pipeline, source, clip, question, model, degraded }
    await consoleSink({ output }).write({ kind: 'error', ...shared, error })
    expect(printed()).toContain('  MODEL_FAILED: The decoder failed.\n')
  })

  test('prints an alert by its answer, with its name and since when', async () => {
    const { output, printed } = createOutput()
    const { schema, id, pipeline, source, clip, question, model, degraded } = createAnswer('')
    const shared = { schema, id, pipeline, source, clip, question, model, degraded }
    const since = { epoch: 0, ptsMs: 65_000, capturedAt: null }
    const facts = { name: 'door\u001b', state: 'raised' as const, since, answerId: id, answer: 'Yes.' }
    const sink = consoleSink({ output })
    await sink.write({ kind: 'alert', ...shared, alert: facts })
    await sink.write(createAnswer('Yes.'))
    const later = { ...source, epoch: 1 }
    await sink.write({ kind: 'alert', ...shared, source: later, alert: { ...facts, state: 'cleared' } })
    expect(printed().split('\n').slice(1)).toEqual([
      '  *** raised: door , since 1:05.000',
      '  What?',
      '  Yes.',
      '  --- cleared: door , since 1:05.000 of an earlier epoch',
      '',
    ])
  })

  test('an answer can’t steer the terminal', async () => {
    const { output, printed } = createOutput()
    await consoleSink({ output }).write(createAnswer('\u001b[2Jred\u0007\r\nblue\u009b31m'))
    expect(printed()).toContain('   [2Jred \n  blue 31m\n')
  })

  test('a broken output doesn’t end the process, and is left without listeners after `close`', async () => {
    const { output, breakIt } = createOutput()
    const sink = consoleSink({ output })
    await sink.open?.()
    breakIt()
    await expect(sink.write(createAnswer('lost'))).rejects.toMatchObject({ cause: { code: 'EPIPE' } })
    await sink.close?.()
    expect(output.listenerCount('error')).toBe(0)
  })
})
