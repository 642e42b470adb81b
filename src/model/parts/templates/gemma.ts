import { FACTORY_SYSTEM, type Template } from './template.js'

/** For Gemma. Source: TinyLLaVA_Factory `data/template/gemma_template.py`. */
export const gemma: Template = {
  name: 'gemma',
  system: FACTORY_SYSTEM,
  user: 'USER: {question} ',
  assistant: 'ASSISTANT:',
  endText: '<eos>',
}
