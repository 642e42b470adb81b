import { createRegistry } from '../registry.js'
import { phi } from './phi.js'
import { qwen2Base } from './qwen2-base.js'
import type { Template } from './template.js'

/**
 * Chat templates by name. Register your own before loading a model:
 *
 * ```ts
 * templates.register('terse', { ...templates.get('phi'), name: 'terse', system: 'Answer in one word. ' })
 * ```
 */
export const templates = createRegistry<Template>('chat template')

for (const template of [phi, qwen2Base]) templates.register(template.name, template)
