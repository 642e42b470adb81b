import { createRegistry } from '../registry.js'
import type { LanguageModel } from '../part.js'
import { phi } from './phi.js'
import { qwen2 } from './qwen2.js'

/** Language models by name. Register your own before converting. */
export const languageModels = createRegistry<LanguageModel>('language model')
languageModels.register('qwen2', qwen2)
languageModels.register('phi', phi)
