import { InvalidArgumentError, Option } from 'commander'
import type { Command } from 'commander'

import { ACTIVATIONS, PRECISIONS, VISION_PRECISIONS } from '../model/precision.js'
import { BLOCK_SIZES, type BlockSize } from '../model/quantise/block-format.js'
import { nonEmpty } from './arguments.js'
import type { ConvertFlags } from './convert-action.js'
import { addPartsOption, addTemplateOption } from './parts-options.js'
import type { Reporter } from './reporter.js'

/** `convert CHECKPOINT_DIR --out BUNDLE_DIR`: a checkpoint to ONNX graphs. */
export function addConvertCommand(program: Command, reporter: Reporter): void {
  const command = program.command('convert')
  command
    .description('Converts a checkpoint in its original layout to a bundle of ONNX graphs, and prints its folder.')
    .argument('<checkpoint-dir>', 'folder with config.json, safetensors and tokenizer files', nonEmpty)
    .requiredOption('--out <bundle-dir>', 'folder of the bundle; made by this command', nonEmpty)
    .addOption(new Option('--precision <p>', 'precision of the weights').choices(PRECISIONS).default('fp32'))
    .option('--block-size <n>', `weights that share a scale: ${BLOCK_SIZES.join(', ')} (default: 32 for int4, 128 for int8)`, blockSize)
    .addOption(new Option('--activations <t>', 'what int8 and int4 compute in: float16 is for GPUs (default: float32)').choices(ACTIVATIONS))
    .addOption(
      new Option('--vision-precision <p>', 'of the vision tower (default: --precision, int8 where that is int4)').choices(VISION_PRECISIONS),
    )
    .addOption(new Option('--llm-precision <p>', 'of the language model (default: --precision)').choices(PRECISIONS))
    .addOption(
      new Option('--attention <a>', 'primitive: without fused operators, for software GPUs')
        .choices(['fused', 'primitive'])
        .default('fused'),
    )
    .option('--overwrite', 'replace a bundle that is there already')
    .option('--verbose', 'say more on stderr; show the stack of a failure')
  addTemplateOption(addPartsOption(command), "chat template (default: the language model's)")
    .action(async (checkpoint: string, flags: ConvertFlags) => {
      const { convert } = await import('./convert-action.js')
      await convert(checkpoint, flags, reporter)
    })
}

/** Reads a size of blocks. */
function blockSize(text: string): BlockSize {
  const found = BLOCK_SIZES.find((size) => String(size) === text)
  if (found !== undefined) return found
  throw new InvalidArgumentError(`Allowed choices are ${BLOCK_SIZES.join(', ')}.`)
}
