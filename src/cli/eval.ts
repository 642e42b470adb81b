import { Option } from 'commander'
import type { Command } from 'commander'

import { benchmarkNames } from '../eval/benchmark-names.js'
import { MOST_FRAMES } from '../eval/frames/frame-budget.js'
import { deviceOption, integer, nonEmpty, wrongUse } from './arguments.js'
import type { EvalFlags } from './eval-action.js'
import { addPartsOption, addTemplateOption } from './parts-options.js'
import type { Reporter } from './reporter.js'

/** `eval --benchmark NAME --data DIR`: asks the questions of a benchmark and prints the score. */
export function addEvalCommand(program: Command, reporter: Reporter): void {
  const command = program.command('eval')
  command
    .description('Asks a model the questions of a benchmark, as the reference does, and prints the score as it does.')
    .addOption(new Option('--benchmark <name>', 'which one').choices(benchmarkNames).makeOptionMandatory())
    .requiredOption('--data <dir>', "the benchmark's folder, as docs/EVALUATION.md lays it out", nonEmpty)
    .option('--model <dir>', 'folder of a converted bundle (default: the embedded demo model)', nonEmpty)
    .addOption(deviceOption('where the model runs (default: auto)'))
    .option('--results <file>', 'file of the answers, a line of JSON each (default: <benchmark>.jsonl)', nonEmpty)
    .option('--resume', 'go on with the answers that are in that file')
    .option('--limit <n>', 'ask only the first so many questions', integer(1))
    .option('--skip-missing', 'pass over questions whose video is missing or broken, and say how many')
    .option('--frames <n>', "frames of a video (default: as the reference's script sets it)", integer(1, MOST_FRAMES))
    .addOption(new Option('--frames-per-second', 'one frame for each second instead').conflicts('frames'))
    .option('--max-frames <n>', 'with --frames-per-second: most frames (default: 64)', integer(1, MOST_FRAMES))
    .option('--max-new-tokens <n>', "most tokens of an answer (default: as the reference's script sets it)", integer(1))
    .option('--json', 'print the score as JSON')
    .option('--verbose', 'say more on stderr; show the stack of a failure')
  addTemplateOption(addPartsOption(command), "chat template (default: the model's)").action(async (flags: EvalFlags) => {
    if (flags.maxFrames !== undefined && flags.framesPerSecond !== true) {
      wrongUse(command, "option '--max-frames <n>' needs '--frames-per-second'")
    }
    const { findBenchmark } = await import('../eval/benchmarks.js')
    if ((flags.frames !== undefined || flags.framesPerSecond === true) && findBenchmark(flags.benchmark).budget === undefined) {
      wrongUse(command, `${flags.benchmark} asks about pictures: it takes no number of frames`)
    }
    const { evaluate } = await import('./eval-action.js')
    await evaluate(flags, reporter)
  })
}
