import { Option } from 'commander'
import type { Command } from 'commander'

import type { AskFlags } from './ask-action.js'
import { decimal, deviceOption, integer, nonEmpty, nonEmptyList, templateOption, wrongUse } from './arguments.js'
import type { Reporter } from './reporter.js'

/** Most frames that fit one clip. */
const MOST_FRAMES = 512

/** `ask VIDEO QUESTION...`: one video, one clip, one answer a question. */
export function addAskCommand(program: Command, reporter: Reporter): void {
  program
    .command('ask')
    .description('Asks about a video file and prints the answers: one question, its answer alone; several, with each.')
    .argument('<video>', 'path or http(s) address of a video file', nonEmpty)
    .argument('<question...>', 'one question or several', nonEmptyList)
    .option('--model <dir>', 'folder of a converted bundle (default: the embedded demo model)', nonEmpty)
    .addOption(deviceOption('where the model runs (default: auto)'))
    .option('--frames <n>', 'frames spread evenly over the video (default: 16)', integer(1, MOST_FRAMES))
    .addOption(new Option('--frames-per-second', 'one frame for each second instead').conflicts('frames'))
    .option('--max-frames <n>', 'with --frames-per-second: most frames (default: 64)', integer(1, MOST_FRAMES))
    .addOption(templateOption("chat template (default: the model's)"))
    .option('--json', 'print each result as a line of JSON')
    .option('--max-new-tokens <n>', 'most tokens of an answer (default: 512)', integer(1))
    .option('--temperature <t>', 'above 0: sample instead of taking the likeliest token (default: 0)', decimal(0, 100))
    .option('--top-p <p>', 'when sampling: smallest set of tokens with this probability (default: 1)', decimal(1e-6, 1))
    .option('--seed <s>', 'when sampling: seed (default: 0)', integer(0))
    .option('--verbose', 'say more on stderr; show the stack of a failure')
    .action(async (video: string, questions: readonly string[], flags: AskFlags, command: Command) => {
      if (flags.maxFrames !== undefined && flags.framesPerSecond !== true) {
        wrongUse(command, "option '--max-frames <n>' needs '--frames-per-second'")
      }
      const { ask } = await import('./ask-action.js')
      await ask({ video, questions, flags }, reporter)
    })
}
