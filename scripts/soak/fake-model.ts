import { setTimeout as delay } from 'node:timers/promises'

import type { Model } from 'tinyllava-stream'

/** A fake: answers at once with what it was asked. The soak is about streams and delivery, not about a model. */
export function createFakeModel(): Model {
  return {
    info: {
      ...{ name: 'fake', digest: 'fake', precision: 'fp32', device: 'cpu', template: 'fake', imageSize: 8, tokensPerFrame: 1 },
      parts: { tower: 'fake', connector: 'fake', languageModel: 'fake' },
    },
    encode: async (pictures) => {
      await delay(2)
      return pictures.map(({ data }) => ({ data: Float32Array.of(data[0] ?? 0), tokens: 1, width: 1 }))
    },
    connect: (frames) => Promise.resolve({ data: new Float32Array(frames.length), tokens: frames.length, width: 1, connectMs: 0 }),
    generate: async (visual, question) => {
      await delay(2)
      const tokens = { visual: visual?.tokens ?? 0, prompt: 1, answer: 1 }
      return { text: question, tokenIds: [1], finishReason: 'stop', tokens, isTruncated: false, timingsMs: { prefill: 1, decode: 1 } }
    },
    dispose: () => Promise.resolve(),
  }
}
