import { Option } from 'commander'
import type { Command } from 'commander'

import { nonEmpty, templateOption } from './arguments.js'
import type { ConvertFlags } from './convert-action.js'
import type { Reporter } from './reporter.js'

/** `convert CHECKPOINT_DIR --out BUNDLE_DIR`: a checkpoint to ONNX graphs. */
export function addConvertCommand(program: Command, reporter: Reporter): void {
  program
    .command('convert')
    .description('Converts a checkpoint in its original layout to a bundle of ONNX graphs, and prints its folder.')
    .argument('<checkpoint-dir>', 'folder with config.json, safetensors and tokenizer files', nonEmpty)
    .requiredOption('--out <bundle-dir>', 'folder of the bundle; made by this command', nonEmpty)
    .addOption(new Option('--precision <p>', 'precision of the weights').choices(['fp32']).default('fp32'))
    .addOption(
      new Option('--attention <a>', 'primitive: without fused operators, for software GPUs')
        .choices(['fused', 'primitive'])
        .default('fused'),
    )
    .addOption(templateOption("chat template (default: the language model's)"))
    .option('--overwrite', 'replace a bundle that is there already')
    .option('--verbose', 'say more on stderr; show the stack of a failure')
    .action(async (checkpoint: string, flags: ConvertFlags) => {
      const { convert } = await import('./convert-action.js')
      await convert(checkpoint, flags, reporter)
    })
}
