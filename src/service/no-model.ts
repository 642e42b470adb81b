import { StreamError } from '../errors.js'
import type { Model } from '../model/model.js'

/** Stands where a pipeline declares `model: null`: it only moves frames. Every use of it is a mistake in the chain. */
export function noModel(pipeline: string): Model {
  const refuse = (): Promise<never> =>
    Promise.reject(
      new StreamError('PIPELINE_INVALID', `The pipeline ${pipeline} declares no model (\`model: null\`), but its chain uses one.`),
    )
  return {
    info: {
      ...{ name: 'none', digest: '', precision: 'none', device: 'none', template: '' },
      ...{ imageSize: 0, tokensPerFrame: 0, parts: { tower: 'none', connector: 'none', languageModel: 'none' } },
    },
    encode: refuse,
    connect: refuse,
    generate: refuse,
    dispose: () => Promise.resolve(),
  }
}
