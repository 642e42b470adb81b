/** Text of a model for pipelines in files: answers with what it was asked, once `ready` has resolved. */
export function fakeModelSource(ready = 'Promise.resolve()'): string {
  return `{
    info: {
      name: 'fake', digest: 'd'.repeat(64), precision: 'fp32', device: 'cpu', template: 'phi', imageSize: 2,
      tokensPerFrame: 1, parts: { tower: 'fake', connector: 'fake', languageModel: 'fake' },
    },
    encode: async (pictures) => pictures.map(() => ({ data: new Float32Array(1), tokens: 1, width: 1 })),
    connect: async (frames) => ({ data: new Float32Array(1), tokens: 1, width: 1, connectMs: 0 }),
    generate: async (visual, question) => {
      console.error('asked')
      await ${ready}
      return {
        text: 'echo: ' + question, tokenIds: [], finishReason: 'stop', isTruncated: false,
        tokens: { visual: 1, prompt: 1, answer: 1 }, timingsMs: { prefill: 0, decode: 0 },
      }
    },
    dispose: async () => {},
  }`
}
