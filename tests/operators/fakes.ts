import { createLedger } from '../../src/ledger.js'
import type { Generation, GenerateOptions, Model, ModelInfo, Pixels, VisualTokens } from '../../src/model/model.js'
import type { EncodedFrame, Frame, FrameFeatures, StreamInfo } from '../../src/types.js'

/** A call of the fake model that waits to be settled by hand. */
export interface Call<Input, Output> {
  readonly input: Input
  readonly signal: AbortSignal | undefined
  resolve(output: Output): void
  reject(error: unknown): void
}

export interface GenerateInput {
  readonly visual: VisualTokens
  readonly question: string
  readonly options: GenerateOptions
}

/** A model whose every call waits until the test settles it. */
export interface FakeModel extends Model {
  readonly encodeCalls: Call<readonly Pixels[], readonly FrameFeatures[]>[]
  readonly connectCalls: Call<readonly FrameFeatures[], VisualTokens>[]
  readonly generateCalls: Call<GenerateInput, Generation>[]
  readonly isDisposed: boolean
}

export const fakeInfo: ModelInfo = {
  name: 'fake-model',
  digest: 'd'.repeat(64),
  precision: 'fp32',
  device: 'cpu',
  template: 'fake-template',
  imageSize: 2,
  tokensPerFrame: 1,
  parts: { tower: 'fake', connector: 'fake', languageModel: 'fake' },
}

export function createFakeModel(): FakeModel {
  const encodeCalls: FakeModel['encodeCalls'] = []
  const connectCalls: FakeModel['connectCalls'] = []
  const generateCalls: FakeModel['generateCalls'] = []
  let isDisposed = false
  return {
    info: fakeInfo,
    encodeCalls,
    connectCalls,
    generateCalls,
    get isDisposed() {
      return isDisposed
    },
    encode: (pictures, options) => hold(encodeCalls, pictures, options?.signal),
    connect: (frames, options) => hold(connectCalls, frames, options?.signal),
    generate: (visual, question, options = {}) => hold(generateCalls, { visual, question, options }, options.signal),
    dispose: () => {
      isDisposed = true
      return Promise.resolve()
    },
  }
}

/** A model that does everything at once and answers with what it was asked. */
export function createInstantModel(): Model {
  return {
    info: fakeInfo,
    encode: (pictures) => Promise.resolve(pictures.map(({ data }) => features(data[0] ?? 0))),
    connect: (frames) => Promise.resolve(visualTokens(frames.length)),
    generate: (_visual, question, options) => {
      options?.onDelta?.('echo: ')
      options?.onDelta?.(question)
      return Promise.resolve(generation(`echo: ${question}`))
    },
    dispose: () => Promise.resolve(),
  }
}

function hold<Input, Output>(calls: Call<Input, Output>[], input: Input, signal: AbortSignal | undefined) {
  return new Promise<Output>((resolve, reject) => {
    calls.push({ input, signal, resolve, reject })
  })
}

/** The element that must be there. */
export function at<T>(list: readonly T[], place: number): T {
  const value = list.at(place)
  if (value === undefined) throw new Error(`There is no element ${place} in a list of ${list.length}.`)
  return value
}

export function features(value: number): FrameFeatures {
  return { data: Float32Array.of(value), tokens: 1, width: 1 }
}

export function visualTokens(tokens: number): VisualTokens {
  return { data: new Float32Array(tokens), tokens, width: 1, connectMs: 7 }
}

export function generation(text: string): Generation {
  return {
    text,
    tokenIds: [1, 2],
    finishReason: 'stop',
    tokens: { visual: 4, prompt: 9, answer: 2 },
    isTruncated: false,
    timingsMs: { prefill: 11, decode: 22 },
  }
}

export function createStream(changes: Partial<StreamInfo> = {}): StreamInfo {
  return {
    id: 'clip',
    epoch: 0,
    kind: 'fake',
    isLive: false,
    ledger: createLedger(),
    health: () => ({ coverage: 1, warnings: [] }),
    ...changes,
  }
}

/** A frame one second after the frame before; its first byte is its index. */
export function createFrame(stream: StreamInfo, index: number, ptsMs = index * 1000): Frame {
  const data = new Uint8Array(12).fill(index)
  return { stream, index, ptsMs, width: 2, height: 2, data, receipt: stream.ledger.frame() }
}

export function createEncodedFrame(stream: StreamInfo, index: number, ptsMs = index * 1000): EncodedFrame {
  return { stream, index, ptsMs, position: index, features: features(index), encodeMs: 3, arrivedAtMs: 0 }
}

/** Lets everything run that can run now: no time passes. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
