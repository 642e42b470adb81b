import type { Template } from './template.js'

/**
 * For checkpoints of Hugging Face's LLaVA classes, as `bczhou/tiny-llava-v1-hf`: no system text, and a line a turn.
 *
 * Sources: the turn is that of the model's own page, `USER: xxx\nASSISTANT:`, which shows one round. Rounds are joined as
 * transformers' LLaVA documentation has it for LLaVA 1.5, `ASSISTANT: <answer1></s>USER: <prompt2> …`; its earlier
 * versions left `</s>` out, with which the model was trained to end its answers.
 */
export const llavaHf: Template = {
  name: 'llava_hf',
  system: '',
  user: 'USER: {question}\n',
  assistant: 'ASSISTANT:',
  endText: '</s>',
}
