import { Option } from 'commander'
import type { Command } from 'commander'

import type { AskFlags } from './ask-settings.js'
import { decimal, deviceOption, integer, nonEmpty, nonEmptyList, wrongUse } from './arguments.js'
import { addPartsOption, addTemplateOption } from './parts-options.js'
import type { Reporter } from './reporter.js'

/** Most frames that fit one clip. */
const MOST_FRAMES = 512

/** `ask VIDEO [QUESTION...]`: one video, one clip, one answer a question; without questions, a conversation. */
export function addAskCommand(program: Command, reporter: Reporter): void {
  const command = program.command('ask')
  command
    .description(
      'Asks about a video or a picture and prints the answers: one question, its answer alone; several, with each. ' +
        'Without a question, a conversation: questions are read from the standard input, a line each.',
    )
    .argument('<video>', 'path or http(s) address of a video file, or path of a JPEG, PNG or WebP picture', nonEmpty)
    .argument('[question...]', 'one question or several', nonEmptyList)
    .option('--conversation', 'each question knows those before it and their answers')
    .addOption(new Option('--each-frame', 'ask about each frame by itself, as a picture').conflicts('conversation'))
    .addOption(
      new Option('--explain <page>', 'write an HTML page that shows why the answer came out as it did')
        // What is shown is how likely each token was, not how it was drawn.
        .argParser(nonEmpty).conflicts(['conversation', 'eachFrame', 'json', 'temperature', 'topP', 'seed']),
    )
    .option('--model <dir>', 'folder of a converted bundle (default: the embedded demo model)', nonEmpty)
    .addOption(deviceOption('where the model runs (default: auto)'))
    .option('--frames <n>', 'frames spread evenly over the video (default: 16)', integer(1, MOST_FRAMES))
    .addOption(new Option('--frames-per-second', 'one frame for each second instead').conflicts('frames'))
    .option('--max-frames <n>', 'with --frames-per-second: most frames (default: 64)', integer(1, MOST_FRAMES))
    .option('--json', 'print each result as a line of JSON')
    .option('--max-new-tokens <n>', 'most tokens of an answer (default: 512)', integer(1))
    .option('--temperature <t>', 'above 0: sample instead of taking the likeliest token (default: 0)', decimal(0, 100))
    .option('--top-p <p>', 'when sampling: smallest set of tokens with this probability (default: 1)', decimal(1e-6, 1))
    .option('--seed <s>', 'when sampling: seed (default: 0)', integer(0))
    .option('--verbose', 'say more on stderr; show the stack of a failure')
  addTemplateOption(addPartsOption(command), "chat template (default: the model's)")
    .action(async (video: string, questions: readonly string[], flags: AskFlags) => {
      if (flags.maxFrames !== undefined && flags.framesPerSecond !== true) {
        wrongUse(command, "option '--max-frames <n>' needs '--frames-per-second'")
      }
      if (flags.eachFrame === true && questions.length === 0) wrongUse(command, "option '--each-frame' needs a question")
      const { explain: page } = flags
      if (page !== undefined) {
        const [question, another] = questions
        if (question === undefined || another !== undefined) wrongUse(command, "option '--explain <page>' takes one question")
        const { explain } = await import('./explain-action.js')
        await explain({ video, question, page, flags }, reporter)
        return
      }
      if (flags.conversation === true || questions.length === 0) {
        const { converse } = await import('./converse-action.js')
        await converse({ video, questions, flags }, reporter)
        return
      }
      const { ask } = await import('./ask-action.js')
      await ask({ video, questions, flags }, reporter)
    })
}
