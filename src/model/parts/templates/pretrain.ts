import type { Template } from './template.js'

/**
 * For checkpoints of the first stage of training, which describe what they see and take no question. Source:
 * TinyLLaVA_Factory `data/template/pretrain_template.py`, as it is in training: in evaluation its prompt is broken
 * (`<image>{{content}}\n:`).
 */
export const pretrain: Template = {
  name: 'pretrain',
  system: '',
  user: '',
  assistant: '',
  endText: '\n',
}
