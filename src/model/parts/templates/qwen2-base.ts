import { FACTORY_SYSTEM, type Template } from './template.js'

/** For Qwen2 and Qwen2.5 base models. Source: TinyLLaVA-Video `data/template/qwen2_base_template.py`. */
export const qwen2Base: Template = {
  name: 'qwen2_base',
  system: FACTORY_SYSTEM,
  user: 'USER: {question} ',
  assistant: 'ASSISTANT:',
  endText: '<|endoftext|>',
}
