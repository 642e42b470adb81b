import { Option } from 'commander'
import type { Command } from 'commander'

import { deviceOption, integer, nonEmpty } from './arguments.js'
import type { Reporter } from './reporter.js'
import type { RunFlags } from './run-action.js'

const MOST_SECONDS = 2 ** 31 / 1000 - 1

/** `run PIPELINE.ts [ARGUMENTS...]`: a declared pipeline, served over HTTP, until it ends, or until Ctrl-C. */
export function addRunCommand(program: Command, reporter: Reporter): void {
  program
    .command('run')
    .description('Runs a pipeline: a TypeScript or JavaScript file whose default export is made by definePipeline.')
    .argument('<pipeline>', 'path of the file', nonEmpty)
    .argument('[arguments...]', 'handed to it as process.argv.slice(2)')
    .addOption(deviceOption("where the model runs (default: the pipeline's, or auto)"))
    .option('--host <address>', 'serve on this address; one that others reach needs a token (default: 127.0.0.1)', nonEmpty)
    .option('--port <n>', 'serve on this port, 0: any that is free (default: 8466, or any if it is taken)', integer(0, 65_535))
    .option('--no-http', 'serve nothing')
    .option('--token-env <name>', 'variable that holds the token (default: TINYLLAVA_STREAM_TOKEN, if it is set)', nonEmpty)
    .option('--drain-timeout <s>', "seconds to finish what was taken (default: the pipeline's, or 30)", integer(0, MOST_SECONDS))
    .addOption(
      new Option('--log-format <f>', 'of stderr (default: text on a terminal, else json)').choices(['text', 'json']),
    )
    .addOption(
      new Option('--log-level <l>', 'least level of json (default: info)').choices(['debug', 'info', 'warn', 'error', 'silent']),
    )
    .option('--verbose', 'say more on stderr; show the stack of a failure')
    .passThroughOptions()
    .action(async (pipeline: string, handed: readonly string[], flags: RunFlags) => {
      const { run } = await import('./run-action.js')
      await run({ path: pipeline, handed, flags }, reporter)
    })
}
