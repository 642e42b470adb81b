import { FACTORY_SYSTEM, type Template } from './template.js'

/** For Phi-2 and StableLM. Source: TinyLLaVA-Video `data/template/phi_template.py`. */
export const phi: Template = {
  name: 'phi',
  system: FACTORY_SYSTEM,
  user: 'USER: {question} ',
  assistant: 'ASSISTANT:',
  endText: '<|endoftext|>',
}
