import { describe, expect, test } from 'vitest'

import { chooseCheckpointFiles } from '../../../../src/model/checkpoint/hub/checkpoint-files.js'

const shards = (stem: string, extension: string, count = 2): readonly string[] => [
  `${stem}.${extension}.index.json`,
  ...Array.from({ length: count }, (_, place) => `${stem}-0000${place + 1}-of-0000${count}.${extension}`),
]
const chosen = (...paths: readonly string[]): readonly string[] => [...chooseCheckpointFiles(['config.json', ...paths]).paths].slice(1).sort()

describe('takes', () => {
  test('descriptions and the tokenizer, and neither code nor anything else', () => {
    const wanted = ['arcade100k.tiktoken', 'generation_config.json', 'merges.txt', 'preprocessor_config.json', 'special_tokens_map.json', 'tokenizer.model', 'tokenizer_config.json', 'vocab.json']
    const others = ['README.md', '.gitattributes', 'modeling_tinyllava_phi.py', 'tokenization_arcade100k.py', 'training_args.bin', 'optimizer.pt', 'assets/vocab.json', 'trainer_state.json', 'onnx/model.onnx']
    expect(chosen(...wanted, ...others, 'model.safetensors')).toEqual([...wanted, 'model.safetensors'].sort())
  })

  test.each([
    ['safetensors before pickled ones', ['model.safetensors', 'pytorch_model.bin'], ['model.safetensors']],
    ['shards before pickled ones', [...shards('model', 'safetensors'), 'pytorch_model.bin'], shards('model', 'safetensors')],
    ['pickled ones where shards are missing', [...shards('model', 'safetensors').slice(0, 2), 'pytorch_model.bin'], ['pytorch_model.bin']],
    ['pickled ones where the index is missing', [...shards('model', 'safetensors').slice(1), 'pytorch_model.bin'], ['pytorch_model.bin']],
    ['pickled shards', shards('pytorch_model', 'bin', 3), shards('pytorch_model', 'bin', 3)],
    ['one file before shards', ['model.safetensors', ...shards('model', 'safetensors')], ['model.safetensors']],
  ])('%s', (_, there, expected) => {
    expect(chosen(...there)).toEqual([...expected].sort())
  })

  test('the folders of a pretraining stage, each with its configuration', () => {
    const there = ['connector/pytorch_model.bin', 'language_model/config.json', 'language_model/pytorch_model.bin', 'vision_tower/pytorch_model.bin']
    expect(chosen(...there, 'language_model/model.py', 'else/pytorch_model.bin', 'vision_tower/old/pytorch_model.bin')).toEqual(there)
  })

  test('an adapter together with its base', () => {
    const there = ['adapter_config.json', 'adapter_model.safetensors', 'connector/pytorch_model.bin', 'language_model/pytorch_model.bin']
    expect(chosen(...there, 'adapter_model.bin')).toEqual(there)
  })

  test('an adapter\'s base in parts, and not what was merged from them', () => {
    const there = ['adapter_config.json', 'adapter_model.safetensors', 'language_model/pytorch_model.bin']
    expect(chosen(...there, 'model.safetensors')).toEqual(there)
  })

  test('no folders where the weights are there as one', () => {
    expect(chosen('model.safetensors', 'connector/pytorch_model.bin')).toEqual(['model.safetensors'])
  })
})

describe('says what a checkpoint would have:', () => {
  test.each([
    ['config.json', ['model.safetensors']],
    ['weights in whole', ['config.json']],
    ['weights in whole', ['config.json', ...shards('model', 'safetensors').slice(0, 2)]],
    ['weights in whole', ['config.json', 'adapter_config.json', 'adapter_model.safetensors']],
  ])('%s', (lacking, paths) => {
    expect(chooseCheckpointFiles(paths).lacking).toContain(lacking)
  })

  test('nothing', () => {
    expect(chooseCheckpointFiles(['config.json', 'model.safetensors']).lacking).toBeUndefined()
  })
})
