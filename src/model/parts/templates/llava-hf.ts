import type { Template } from './template.js'

/**
 * For checkpoints of Hugging Face's LLaVA classes, as `bczhou/tiny-llava-v1-hf`: no system text, and a line a turn.
 * Source: the prompt format of transformers' LLaVA documentation.
 */
export const llavaHf: Template = {
  name: 'llava_hf',
  system: '',
  user: 'USER: {question}\n',
  assistant: 'ASSISTANT:',
  endText: '</s>',
}
