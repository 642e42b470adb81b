import { describe, expect, test, vi } from 'vitest'
import type { Manifest } from '../../../src/model/manifest.js'
import type { GenerateJob } from '../../../src/model/runtime/protocol.js'
import type { DecoderSequence } from '../../../src/model/runtime/language-decoder.js'
import { PrefixCache } from '../../../src/model/runtime/prefix-cache.js'
import { TextLane, type TextSetup } from '../../../src/model/runtime/text-lane.js'
import { countingJob, drain, fakeTextModel, quietHooks } from './fake-model.js'

function textLane(changes: Partial<Manifest['languageModel']> = {}, limits: Partial<TextSetup> = {}) {
  const { setup, session, embedTokens } = fakeTextModel(changes, limits)
  const lane = new TextLane(setup)
  const ask = (job: Partial<GenerateJob> = {}, hooks = quietHooks()) => lane.answer({ ...countingJob, ...job }, hooks)
  /** Rows of each slot, run by run: `2x3` is three rows for each of two. */
  const shapes = () => session.runs.map(({ inputs_embeds: rows }) => `${rows?.dims[0] ?? 0}x${rows?.dims[1] ?? 0}`)
  return { lane, ask, session, embedTokens, shapes }
}

async function answered(changes: Partial<Manifest['languageModel']>, job: Partial<GenerateJob> = {}) {
  const { lane, ask } = textLane(changes)
  const answer = ask(job)
  await drain(lane)
  return answer
}

describe('an answer', () => {
  test('stops at the limit, with reason length', async () => {
    const answer = await answered({})
    expect(answer).toMatchObject({ text: 'bcdef', finishReason: 'length', isTruncated: false })
    expect(answer.tokenIds).toEqual([98, 99, 100, 101, 102])
    expect(answer.tokens).toEqual({ visual: 2, prompt: 4, answer: 5 })
  })

  test('stops at an end token, which it counts and does not show', async () => {
    expect(await answered({ eosTokenIds: [100] })).toMatchObject({ finishReason: 'stop', tokenIds: [98, 99, 100], text: 'bcd' })
  })

  test('stops where the last tokens are the end text, which is removed', async () => {
    const answer = await answered({}, { endText: 'de' })
    expect(answer).toMatchObject({ finishReason: 'stop', tokenIds: [98, 99, 100, 101], text: 'bc' })
  })

  test('stops for the token rather than for the limit where both fall together', async () => {
    expect(await answered({ eosTokenIds: [102] })).toMatchObject({ finishReason: 'stop' })
  })

  test('ends where the model has no positions left', async () => {
    expect(await answered({ maxPositions: 8 })).toMatchObject({ finishReason: 'length', tokenIds: [98, 99] })
  })

  test('is told to the listener in pieces that add up to it', async () => {
    const pieces: string[] = []
    const { lane, ask } = textLane()
    const answer = ask({ endText: 'f' }, quietHooks({ onDelta: (text) => pieces.push(text) }))
    await drain(lane)
    expect(pieces).toEqual(['b', 'c', 'd', 'e'])
    expect((await answer).text).toBe('bcde')
  })

  test('counts time from its prompt\'s begin, on the clock it is given', async () => {
    let now = 100
    const { lane, ask, embedTokens } = textLane({}, { now: () => now })
    const look = embedTokens.run.bind(embedTokens)
    vi.spyOn(embedTokens, 'run').mockImplementation((feeds) => {
      now += 5
      return look(feeds)
    })
    const answer = ask({ maxNewTokens: 2 })
    await drain(lane)
    // Two texts of the prompt are looked up before the first token, and the first token before the second.
    expect((await answer).timingsMs).toEqual({ prefill: 10, decode: 5 })
  })
})

describe('the decoder', () => {
  test('sees text, visual tokens and question piece by piece, then one token at a time', async () => {
    const { lane, ask, session, shapes } = textLane()
    void ask({ maxNewTokens: 3 })
    await drain(lane)
    expect(shapes()).toEqual(['1x2', '1x2', '1x2', '1x1', '1x1'])
    const embeddings = session.runs.map(({ inputs_embeds: rows }) => Array.from(rows?.data as Float32Array))
    expect(embeddings).toEqual([[81, 0, 32, 0], [1, 2, 3, 4], [10, 0, 97, 0], [98, 0], [99, 0]])
    expect(session.runs.map(({ past_lengths: lengths }) => lengths?.data[0])).toEqual([0n, 2n, 4n, 6n, 7n])
    expect(session.runs.every(({ num_logits_to_keep: kept }) => kept?.dims.length === 0 && kept.data[0] === 1n)).toBe(true)
  })

  test('sees a long prompt in chunks', async () => {
    const { lane, ask, shapes } = textLane({}, { chunk: 3 })
    void ask({ prompt: { before: '1234567', after: '\na' }, maxNewTokens: 1 })
    await drain(lane)
    expect(shapes()).toEqual(['1x3', '1x3', '1x1', '1x2', '1x2'])
  })

  test('is not run for a token after the last', async () => {
    const { lane, ask, shapes } = textLane()
    void ask({ maxNewTokens: 1 })
    await drain(lane)
    expect(shapes()).toHaveLength(3)
  })

  test('sees the beginning of a prompt whose end is cut', async () => {
    const { lane, ask, session } = textLane({ maxPromptTokens: 3 })
    const answer = ask({ maxNewTokens: 1 })
    await drain(lane)
    expect(await answer).toMatchObject({ isTruncated: true, tokens: { visual: 1, prompt: 2 } })
    expect(session.runs.map(({ inputs_embeds: rows }) => Array.from(rows?.data as Float32Array))).toEqual([[81, 0, 32, 0], [1, 2]])
  })
})

describe('what was taken in before', () => {
  test('a second question about a clip costs its own tokens only', async () => {
    const { lane, ask, shapes } = textLane()
    void ask({ maxNewTokens: 1 })
    await drain(lane)
    const second = ask({ prompt: { ...countingJob.prompt, after: '\n?e' }, maxNewTokens: 2 })
    await drain(lane)
    expect((await second).text).toBe('fg')
    expect(shapes().slice(3)).toEqual(['1x3', '1x1'])
  })

  test('another clip begins behind the text that all begin with', async () => {
    const { lane, ask, session } = textLane()
    void ask({ maxNewTokens: 1 })
    void ask({ clip: 2, maxNewTokens: 1 })
    await drain(lane)
    expect(session.runs.map(({ past_lengths: lengths }) => lengths?.data[0])).toEqual([0n, 2n, 4n, 2n, 4n])
  })

  test('another text before the picture shares nothing', async () => {
    const { lane, ask, session } = textLane()
    void ask({ maxNewTokens: 1 })
    void ask({ prompt: { before: 'R ', after: '\na' }, maxNewTokens: 1 })
    await drain(lane)
    expect(session.runs[3]?.past_lengths?.data[0]).toBe(0n)
  })

  test('a prompt cut within its clip runs at least its last position', async () => {
    const { lane, ask, shapes } = textLane({ maxPromptTokens: 3 })
    const answers = [ask({ maxNewTokens: 1 }), ask({ maxNewTokens: 1 })]
    await drain(lane)
    expect((await Promise.all(answers)).map(({ tokenIds }) => tokenIds)).toEqual([[2], [2]])
    expect(shapes()).toEqual(['1x2', '1x1', '1x1'])
  })

  test('is forgotten where no memory is given to it', async () => {
    const { lane, ask, shapes } = textLane({}, { prefixes: new PrefixCache(0) })
    void ask({ maxNewTokens: 1 })
    void ask({ maxNewTokens: 1 })
    await drain(lane)
    expect(shapes()).toHaveLength(6)
  })
})

describe('several questions', () => {
  test('gain tokens side by side, each its own', async () => {
    const { lane, ask, shapes } = textLane()
    const answers = ['a', 'e', 'm'].map((last) => ask({ prompt: { before: 'Q ', after: `\n${last}` }, maxNewTokens: 4 }))
    await drain(lane)
    expect((await Promise.all(answers)).map(({ text }) => text)).toEqual(['bcde', 'fghi', 'nopq'])
    expect(shapes()).toContain('3x1')
    // One after the other it would be 5 prompt pieces and 9 steps.
    expect(shapes().filter((shape) => shape.endsWith('x1')).length).toBeLessThan(9)
  })

  test('a prompt and answers under way take turns: neither waits for the other\'s end', async () => {
    const { lane, ask, shapes } = textLane({}, { chunk: 2 })
    void ask({ maxNewTokens: 6, endText: '' })
    while (!shapes().includes('1x1')) await lane.step()
    void ask({ clip: 2, visual: { ...countingJob.visual, data: new Float32Array(12), tokens: 6 }, maxNewTokens: 1 })
    await drain(lane)
    // The first answer's own prompt, then in turn a chunk of the second's and a token of the first's.
    expect(shapes()).toEqual(['1x2', '1x2', '1x2', '1x1', '1x2', '1x1', '1x2', '1x1', '1x2', '1x1', '1x2', '1x1'])
  })

  test('a prompt has as long a turn as answers have: what comes at once is soon under way together', async () => {
    let now = 0
    const { lane, ask, session, shapes } = textLane({}, { maxBurstMs: 100, now: () => now })
    const run = session.run.bind(session)
    vi.spyOn(session, 'run').mockImplementation((feeds) => {
      now += 1
      return run(feeds)
    })
    const answers = Array.from({ length: 8 }, (_, clip) => ask({ clip, maxNewTokens: 20, endText: '' }))
    await drain(lane)
    expect((await Promise.all(answers)).every(({ text }) => text === 'bcdefghijklmnopqrstu')).toBe(true)
    // All eight prompts, then nineteen steps of all eight: none alone.
    expect(shapes().filter((shape) => shape === '8x1')).toHaveLength(19)
    expect(shapes()).not.toContain('1x1')
  })

  test('more than may be under way wait for their turn', async () => {
    const { lane, ask, shapes } = textLane({}, { maxAnswers: 2 })
    const answers = [1, 2, 3].map(() => ask({ maxNewTokens: 3 }))
    await drain(lane)
    expect((await Promise.all(answers)).map(({ text }) => text)).toEqual(['bcd', 'bcd', 'bcd'])
    expect(shapes()).not.toContain('3x1')
  })

  test('the last one that leaves lets the memory go that they shared', async () => {
    const { setup } = fakeTextModel()
    const rest = vi.fn()
    const lane = new TextLane({ ...setup, decoder: { ...setup.decoder, rest } })
    void lane.answer({ ...countingJob, maxNewTokens: 6, endText: '' }, quietHooks())
    void lane.answer({ ...countingJob, maxNewTokens: 8, endText: '' }, quietHooks())
    while (rest.mock.calls.length === 0) await lane.step()
    expect(lane.hasWork).toBe(false)
    expect(rest).toHaveBeenCalledTimes(1)
  })

  test('one that leaves lets the others be', async () => {
    const { lane, ask } = textLane()
    const answers = [[1, 'a'], [6, 'e'], [2, 'm']].map(([maxNewTokens, last]) =>
      ask({ prompt: { before: 'Q ', after: `\n${String(last)}` }, maxNewTokens: Number(maxNewTokens) }))
    await drain(lane)
    expect((await Promise.all(answers)).map(({ text }) => text)).toEqual(['b', 'fghijk', 'no'])
  })

  test('bursts last as long as they may, then a prompt has its turn', async () => {
    let now = 0
    const { lane, ask, shapes } = textLane({}, { maxBurstMs: 10, now: () => (now += 4) })
    void ask({ maxNewTokens: 30, endText: '' })
    while (shapes().length < 3) await lane.step()
    void ask({ clip: 2, maxNewTokens: 1 })
    await lane.step()
    expect(shapes().slice(3)).toEqual(['1x1', '1x1', '1x1'])
    await lane.step()
    expect(shapes().at(-1)).toBe('1x2')
    await drain(lane)
  })
})

describe('an abort', () => {
  test('of an answer under way ends it before its next token, and the others go on', async () => {
    const { lane, ask } = textLane()
    const abort = new AbortController()
    const onDelta = vi.fn(() => { abort.abort() })
    const cancelled = ask({ maxNewTokens: 30, endText: '' }, quietHooks({ signal: abort.signal, onDelta }))
    const kept = ask({ maxNewTokens: 4 })
    await drain(lane)
    await expect(cancelled).rejects.toMatchObject({ code: 'ABORTED' })
    expect(onDelta).toHaveBeenCalledTimes(1)
    expect((await kept).text).toBe('bcde')
  })

  test('of a prompt ends it between two chunks', async () => {
    const { lane, ask, shapes } = textLane({}, { chunk: 1 })
    const abort = new AbortController()
    const cancelled = ask({}, quietHooks({ signal: abort.signal }))
    await lane.step()
    abort.abort()
    await drain(lane)
    await expect(cancelled).rejects.toMatchObject({ code: 'ABORTED' })
    expect(shapes()).toEqual(['1x1'])
  })

  test('of a question that waits: it is never begun', async () => {
    const { lane, ask } = textLane()
    const onBegin = vi.fn()
    void ask({ maxNewTokens: 2 })
    const waiting = ask({}, quietHooks({ signal: AbortSignal.abort() , onBegin }))
    await drain(lane)
    await expect(waiting).rejects.toMatchObject({ code: 'ABORTED' })
    expect(onBegin).not.toHaveBeenCalled()
  })
})

test('closing frees the sequences under way and what was kept of earlier ones', async () => {
  const disposals: string[] = []
  const { setup } = fakeTextModel()
  const watched = (sequence: DecoderSequence): DecoderSequence => ({
    ...sequence,
    append: (rows) => sequence.append(rows),
    prefix: () => {
      const prefix = sequence.prefix()
      return { ...prefix, begin: (room) => watched(prefix.begin(room)), dispose: () => disposals.push('prefix') }
    },
    dispose: () => disposals.push('sequence'),
  })
  const { decoder } = setup
  const lane = new TextLane({ ...setup, decoder: { ...decoder, begin: (room) => watched(decoder.begin(room)) }, chunk: 1 })
  void lane.answer(countingJob, quietHooks())
  for (let step = 0; step < 5; step += 1) await lane.step()
  disposals.length = 0
  await lane.close()
  expect(disposals.sort()).toEqual(['prefix', 'prefix', 'sequence'])
  expect(lane.hasWork).toBe(false)
})

describe('a failure', () => {
  test('a prompt that leaves no room for an answer is refused before anything runs', async () => {
    const { ask, lane, embedTokens } = textLane({ maxPositions: 6 })
    await expect(ask()).rejects.toMatchObject({ code: 'PROMPT_TOO_LONG' })
    expect([embedTokens.runs.length, lane.hasWork]).toEqual([0, false])
  })

  test('a logit that is not a number ends that answer alone', async () => {
    const { lane, ask, session } = textLane()
    const run = session.run.bind(session)
    const spoil = vi.spyOn(session, 'run').mockImplementation(async (feeds) => {
      const outputs = await run(feeds)
      // Of the slot that comes to 'g', in a step of two.
      if (feeds.inputs_embeds?.dims[0] === 2) (outputs.logits?.data as Float32Array)[7] = NaN
      return outputs
    })
    const [bad, good] = [ask({ maxNewTokens: 20, endText: '' }), ask({ prompt: { before: 'Q ', after: '\nm' }, maxNewTokens: 5 })]
    await drain(lane)
    await expect(bad).rejects.toMatchObject({ code: 'MODEL_FAILED' })
    expect((await good).text).toBe('nopqr')
    spoil.mockRestore()
  })

  test('a beginning that is not a number is not kept: it fails its own question, and not those after it', async () => {
    const { lane, ask, session } = textLane()
    const run = session.run.bind(session)
    const spoil = vi.spyOn(session, 'run').mockImplementation(async (feeds) => {
      const outputs = await run(feeds)
      ;(outputs.logits?.data as Float32Array)[3] = NaN
      return outputs
    })
    // More positions than a short beginning has room for.
    const visual = { ...countingJob.visual, data: new Float32Array(200), tokens: 100 }
    const broken = ask({ visual })
    await drain(lane)
    await expect(broken).rejects.toMatchObject({ code: 'MODEL_FAILED', message: expect.stringContaining('not a number') as unknown })
    spoil.mockRestore()
    const next = ask({ visual })
    await drain(lane)
    expect((await next).text).toBe('bcdef')
    // Its prompt is taken in from the very beginning.
    expect(session.runs.filter(({ past_lengths: lengths }) => lengths?.data[0] === 0n)).toHaveLength(2)
  })

  test('a step that fails ends the longest answer alone: the others have lost nothing and go on', async () => {
    const { lane, ask, session } = textLane()
    const run = session.run.bind(session)
    const short = vi.spyOn(session, 'run').mockImplementation((feeds) =>
      (feeds.inputs_embeds?.dims[0] ?? 0) > 2 ? Promise.reject(new Error('out of memory')) : run(feeds))
    const visual = { ...countingJob.visual, data: new Float32Array(20), tokens: 10 }
    const answers = [ask({ maxNewTokens: 9, endText: '' }), ask({ clip: 2, visual, maxNewTokens: 9 }), ask({ clip: 3, maxNewTokens: 9, endText: '' })]
    await drain(lane)
    await expect(answers[1]).rejects.toThrow('out of memory')
    expect((await Promise.all([answers[0], answers[2]])).map((answer) => answer?.text)).toEqual(['bcdefghij', 'bcdefghij'])
    short.mockRestore()
  })

  test('where every step fails all end, and the next question is answered', async () => {
    const { lane, ask, session } = textLane()
    const run = session.run.bind(session)
    const broken = vi.spyOn(session, 'run').mockImplementation((feeds) =>
      feeds.inputs_embeds?.dims[1] === 1 ? Promise.reject(new Error('the device is gone')) : run(feeds))
    const answers = [ask(), ask({ clip: 2 })]
    await drain(lane)
    for (const answer of answers) await expect(answer).rejects.toThrow('the device is gone')
    broken.mockRestore()
    const next = ask({ maxNewTokens: 2 })
    await drain(lane)
    expect((await next).text).toBe('bc')
  })
})
