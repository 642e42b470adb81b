import { Command, CommanderError } from 'commander'

import { packageVersion } from '../version.js'
import { addAskCommand } from './ask.js'
import { addConvertCommand } from './convert.js'
import { addDoctorCommand } from './doctor.js'
import { addEvalCommand } from './eval.js'
import { addPullCommand } from './pull.js'
import { createReporter } from './reporter.js'
import type { Reporter } from './reporter.js'
import { addRunCommand } from './run.js'
import { addVerifyCommand } from './verify.js'

/** Exit codes: what came out is one of these, or 128 + the signal of a second Ctrl-C. */
const [OK, FAILED, WRONG_ARGUMENT] = [0, 1, 2]

/**
 * Runs the command line.
 *
 * Results go to stdout, all else to stderr. A wrong argument is one line and 2; a failure one line with
 * its code and 1, with the stack under `--verbose`.
 *
 * @param argv As `process.argv`.
 * @returns the exit code.
 */
export async function main(argv: readonly string[]): Promise<number> {
  const reporter = createReporter()
  const fail = (error: unknown): void => {
    reporter.failure(error)
    process.exit(FAILED)
  }
  process.on('uncaughtException', fail)
  process.on('unhandledRejection', fail)
  // Whoever prints is told of a closed pipe; without a listener it would end the process on its own.
  process.stdout.on('error', () => undefined)
  try {
    const program = createProgram(reporter)
    // Commander would print the whole help.
    if (argv.length <= 2) program.error('no command: name one of ask, convert, doctor, eval, pull, run and verify')
    await program.parseAsync(argv)
    return OK
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? OK : WRONG_ARGUMENT
    reporter.failure(error)
    return FAILED
  }
}

function createProgram(reporter: Reporter): Command {
  const program = new Command('tinyllava-stream')
  program
    .description('Answers questions about video with TinyLLaVA-Video on ONNX Runtime.')
    .version(packageVersion())
    .helpCommand('help [command]', 'display help for command')
    .showSuggestionAfterError(true)
    .exitOverride()
    .configureOutput({
      outputError: (message) => {
        reporter.wrongArgument(withAdvice(message))
      },
    })
    .enablePositionalOptions()
    .option('--verbose', 'say more on stderr; show the stack of a failure')
    .hook('preAction', (_program, command) => {
      if (command.optsWithGlobals<{ verbose?: boolean }>().verbose === true) reporter.beVerbose()
    })
  addAskCommand(program, reporter)
  addConvertCommand(program, reporter)
  addDoctorCommand(program)
  addEvalCommand(program, reporter)
  addPullCommand(program, reporter)
  addRunCommand(program, reporter)
  addVerifyCommand(program, reporter)
  return program
}

/** A file or a question that begins with a dash is taken for an option. */
function withAdvice(message: string): string {
  const isLikelyText = /unknown option '-[^-]/.test(message)
  return isLikelyText ? `${message.trimEnd()}; if it is no option, put -- in front of it` : message
}
