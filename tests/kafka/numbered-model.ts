import type { Generation, Model } from '../../src/model/model.js'
import type { FrameFeatures } from '../../src/types.js'

/** How the model of numbered frames works. */
export interface NumberedModelOptions {
  /** Milliseconds of work that each answer stands for. */
  readonly generateMs?: number
  /** Characters that each answer is filled up to. */
  readonly answerLength?: number
}

/**
 * A fake, deterministic model: answers with the question and the numbers that it finds in the clip's pictures
 * (`numberedPicture`), so that each answer tells whether it was made of the right frames.
 */
export function createNumberedModel({ generateMs = 0, answerLength = 0 }: NumberedModelOptions = {}): Model {
  return {
    info: {
      ...{ name: 'numbered', digest: 'e'.repeat(64), precision: 'fp32', device: 'cpu', template: 'none' },
      ...{ imageSize: 8, tokensPerFrame: 1, parts: { tower: 'fake', connector: 'fake', languageModel: 'fake' } },
    },
    encode: (pictures) => Promise.resolve(pictures.map(({ data }) => numberIn(data))),
    connect: (frames) => {
      const data = Float32Array.from(frames, (frame) => frame.data[0] ?? NaN)
      return Promise.resolve({ data, tokens: frames.length, width: 1, connectMs: 0 })
    },
    generate: async (visual, question) => {
      if (generateMs > 0) await new Promise((resolve) => setTimeout(resolve, generateMs))
      return generation(`${question} ${visual?.data.join(' ') ?? ''}`.padEnd(answerLength, '.'))
    },
    dispose: () => Promise.resolve(),
  }
}

/** The number that a picture of one colour stands for. */
function numberIn([red = 0, green = 0]: Uint8Array): FrameFeatures {
  return { data: Float32Array.of(red * 256 + green), tokens: 1, width: 1 }
}

function generation(text: string): Generation {
  return {
    ...{ text, tokenIds: [1], finishReason: 'stop', isTruncated: false },
    ...{ tokens: { visual: 1, prompt: 1, answer: 1 }, timingsMs: { prefill: 0, decode: 0 } },
  }
}
