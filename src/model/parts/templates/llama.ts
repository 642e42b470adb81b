import { FACTORY_SYSTEM, type Template } from './template.js'

/** For TinyLlama, OpenELM and checkpoints of two towers. Source: TinyLLaVA_Factory `data/template/llama_template.py`. */
export const llama: Template = {
  name: 'llama',
  system: FACTORY_SYSTEM,
  user: 'USER: {question} ',
  assistant: 'ASSISTANT:',
  endText: '</s>',
}
