import { Option } from 'commander'
import type { Command } from 'commander'

import { isImagePath } from '../sources/image/image-name.js'
import { MOST_FRAMES } from '../eval/frames/frame-budget.js'
import type { AskFlags } from './ask-settings.js'
import { decimal, deviceOption, integer, nonEmpty, nonEmptyList, wrongUse } from './arguments.js'
import { addPartsOption, addTemplateOption } from './parts-options.js'
import type { Reporter } from './reporter.js'

/** What is said of which frames are looked at: a picture has but one. */
const FRAME_OPTIONS = { frames: '--frames <n>', framesPerSecond: '--frames-per-second', maxFrames: '--max-frames <n>' } as const

/** `ask VIDEO [QUESTION...]`: one video, one clip, one answer a question; without questions, a conversation. */
export function addAskCommand(program: Command, reporter: Reporter): void {
  const command = program.command('ask')
  command
    .description(
      'Asks about a video or a picture and prints the answers: one question, its answer alone; several, with each. ' +
        'Without a question, a conversation: questions are read from the standard input, a line each.',
    )
    .argument('<video>', 'path or http(s) address of a video file, or of a JPEG, PNG or WebP picture', nonEmpty)
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
    .option(FRAME_OPTIONS.frames, 'of a video: frames spread evenly over it (default: 16)', integer(1, MOST_FRAMES))
    .addOption(new Option(FRAME_OPTIONS.framesPerSecond, 'of a video: one frame for each second instead').conflicts('frames'))
    .option(FRAME_OPTIONS.maxFrames, 'with --frames-per-second: most frames (default: 64)', integer(1, MOST_FRAMES))
    .option('--json', 'print each result as a line of JSON')
    .option('--max-new-tokens <n>', 'most tokens of an answer (default: 512)', integer(1))
    .option('--temperature <t>', 'above 0: sample instead of taking the likeliest token (default: 0)', decimal(0, 100))
    .option('--top-p <p>', 'when sampling: smallest set of tokens with this probability (default: 1)', decimal(1e-6, 1))
    .option('--seed <s>', 'when sampling: seed (default: 0)', integer(0))
    .option('--verbose', 'say more on stderr; show the stack of a failure')
  addTemplateOption(addPartsOption(command), "chat template (default: the model's)")
    .action(async (video: string, questions: readonly string[], flags: AskFlags) => {
      expectFrameOptions(command, video, flags)
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

function expectFrameOptions(command: Command, video: string, flags: AskFlags): void {
  if (flags.maxFrames !== undefined && flags.framesPerSecond !== true) {
    wrongUse(command, `option '${FRAME_OPTIONS.maxFrames}' needs '${FRAME_OPTIONS.framesPerSecond}'`)
  }
  if (!isImagePath(video)) return
  const names = ['frames', 'framesPerSecond', 'maxFrames'] as const
  const given = names.find((name) => flags[name] !== undefined)
  if (given !== undefined) wrongUse(command, `option '${FRAME_OPTIONS[given]}' is for videos, and this is one picture`)
}
