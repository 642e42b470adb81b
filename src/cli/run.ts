import type { Command } from 'commander'

import { nonEmpty } from './arguments.js'
import type { Reporter } from './reporter.js'

/** `run PIPELINE.ts [ARGUMENTS...]`: a declared pipeline until it ends, or until Ctrl-C. */
export function addRunCommand(program: Command, reporter: Reporter): void {
  program
    .command('run')
    .description('Runs a pipeline: a TypeScript or JavaScript file whose default export is made by definePipeline.')
    .argument('<pipeline>', 'path of the file', nonEmpty)
    .argument('[arguments...]', 'handed to it as process.argv.slice(2)')
    .option('--verbose', 'say more on stderr; show the stack of a failure')
    .passThroughOptions()
    .action(async (pipeline: string, handed: readonly string[]) => {
      const { run } = await import('./run-action.js')
      await run(pipeline, handed, reporter)
    })
}
