import { createRegistry } from '../registry.js'
import type { LanguageModel } from '../part.js'
import { gemma } from './gemma.js'
import { llama } from './llama.js'
import { openelm } from './openelm.js'
import { phi } from './phi.js'
import { qwen2 } from './qwen2.js'
import { stablelm } from './stablelm.js'

/** Language models by name. Register your own before converting. */
export const languageModels = createRegistry<LanguageModel>('language model')

const all = { gemma, llama, openelm, phi, qwen2, stablelm }
for (const [name, model] of Object.entries(all)) languageModels.register(name, model)
