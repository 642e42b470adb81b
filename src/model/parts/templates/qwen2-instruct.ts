import { FACTORY_SYSTEM, type Template } from './template.js'

/** For Qwen2 and Qwen2.5 instruct models. Source: TinyLLaVA_Factory `data/template/qwen2_instruct_template.py`. */
export const qwen2Instruct: Template = {
  name: 'qwen2_instruct',
  system: FACTORY_SYSTEM,
  user: 'USER: {question} ',
  assistant: 'ASSISTANT:',
  endText: '<|im_end|>',
}
