/**
 * Files of a checkpoint that say what the model and its tokenizer are: fetched from a hub, and copied into a bundle. A
 * repository's code is never among them.
 */
export const DESCRIPTION_FILES: ReadonlySet<string> = new Set([
  'config.json', 'generation_config.json', 'preprocessor_config.json',
  'tokenizer.json', 'tokenizer.model', 'tokenizer_config.json', 'special_tokens_map.json',
  'vocab.json', 'merges.txt', 'added_tokens.json', 'arcade100k.tiktoken',
])
