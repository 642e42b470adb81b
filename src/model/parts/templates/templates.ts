import { createRegistry } from '../registry.js'
import { gemma } from './gemma.js'
import { llama } from './llama.js'
import { llavaHf } from './llava-hf.js'
import { phi } from './phi.js'
import { pretrain } from './pretrain.js'
import { qwen2Base } from './qwen2-base.js'
import { qwen2Instruct } from './qwen2-instruct.js'
import type { Template } from './template.js'

/**
 * Chat templates by name. Register your own before loading a model:
 *
 * ```ts
 * templates.register('terse', { ...templates.get('phi'), name: 'terse', system: 'Answer in one word. ' })
 * ```
 */
export const templates = createRegistry<Template>('chat template')

for (const template of [gemma, llama, llavaHf, phi, pretrain, qwen2Base, qwen2Instruct]) templates.register(template.name, template)
