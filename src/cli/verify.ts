import type { Command } from 'commander'

import { decimal, integer, nonEmpty, nonEmptyList } from './arguments.js'
import { addPartsOption } from './parts-options.js'
import type { Reporter } from './reporter.js'
import type { VerifyFlags } from './verify-action.js'

/** `verify BUNDLE [--against DIR]`: whether a bundle is whole, and how far it is from another of the same checkpoint. */
export function addVerifyCommand(program: Command, reporter: Reporter): void {
  const command = program.command('verify')
  command
    .description('Checks every file of a bundle; with --against also compares it, stage by stage and answer by answer.')
    .argument('<bundle-dir>', 'folder of a converted bundle', nonEmpty)
    .option('--against <dir>', 'another bundle of it, or its checkpoint: that is converted to fp32 for this, in the temporary folder (TMPDIR)', nonEmpty)
    .option('--clip <file...>', 'video files to ask about (default: the samples that come with the package)', nonEmptyList)
    .option('--question <text...>', 'questions to ask about each (default: four general ones)', nonEmptyList)
    .option('--frames <n>', 'frames spread evenly over each clip (default: 16)', integer(1, 512))
    .option('--max-new-tokens <n>', 'most tokens of an answer (default: 64)', integer(1))
    .option('--min-same <percent>', 'fail where fewer answers than this are the same', decimal(0, 100))
    .option('--json', 'print the comparison as JSON')
    .option('--verbose', 'say more on stderr; show the stack of a failure')
  addPartsOption(command)
    .action(async (bundle: string, flags: VerifyFlags) => {
      const { verify } = await import('./verify-action.js')
      await verify(bundle, flags, reporter)
    })
}
