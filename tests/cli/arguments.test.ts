import { describe, expect, test } from 'vitest'

import { linesOf, runCli } from './spawn-cli.js'

describe('a wrong argument is one line on stderr and exit code 2', () => {
  test.each([
    [[], 'no command: name one of ask, convert, doctor, eval, pull, run and verify'],
    [['describe'], "unknown command 'describe'"],
    [['ask'], "missing required argument 'video'"],
    [['ask', 'clip.mp4', ' '], "value ' ' is invalid for argument 'question'. It is empty."],
    [['ask', 'clip.mp4', 'What?', '--frames', '0'], 'Give a whole number from 1 to 512.'],
    [['ask', 'clip.mp4', 'What?', '--frames', '1e2'], 'Give a whole number from 1 to 512.'],
    [['ask', 'clip.mp4', 'What?', '--frame', '4'], "unknown option '--frame' (Did you mean --frames?)"],
    [['ask', '-clip.mp4', 'What?'], '; if it is no option, put -- in front of it (see --help)'],
    [['ask', 'clip.mp4', 'What?', '--frames', '4', '--frames-per-second'], 'cannot be used with'],
    [['ask', 'clip.mp4', 'What?', '--max-frames', '4'], "'--max-frames <n>' needs '--frames-per-second'"],
    [['ask', 'clip.mp4', 'What?', '--template', 'nix'], 'Allowed choices are gemma, llama, llava_hf, phi, pretrain, qwen2_base, qwen2_instruct.'],
    [['ask', 'clip.mp4', 'What?', '--temperature', '-1'], 'Give a number from 0 to 100.'],
    [['ask', 'clip.mp4', 'What?', '--top-p', '2'], 'Give a number from 0.000001 to 1.'],
    [['ask', 'clip.mp4', 'What?', '--seed', 'x'], 'Give a whole number of 0 or more.'],
    [['convert', 'checkpoint'], "required option '--out <bundle-dir>' not specified"],
    [['convert', 'checkpoint', '--out', 'bundle', '--precision', 'int2'], 'Allowed choices are fp32, fp16, int8, int4.'],
    [['convert', 'checkpoint', '--out', 'bundle', '--llm-precision', 'int8-dynamic'], 'Allowed choices are fp32, fp16, int8, int4.'],
    [['convert', 'checkpoint', '--out', 'bundle', '--block-size', '48'], 'Allowed choices are 32, 64, 128.'],
    [['run'], "missing required argument 'pipeline'"],
  ])('%j', async (args, expected) => {
    const { status, stdout, stderr } = await runCli(args)
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(linesOf(stderr)).toEqual([expect.stringMatching(/^tinyllava-stream: .*\(see --help\)$/)])
    expect(stderr).toContain(expected)
  })
})

describe('help', () => {
  test.each([
    [['--help'], ['ask', 'convert', 'run']],
    [['help'], ['ask', 'convert', 'run']],
    [['help', 'ask'], ['--model', '--frames']],
    [['ask', '--help'], ['--model', '--frames', '--frames-per-second', '--max-frames', '--template', '--json']],
    [['ask', '--help'], ['--max-new-tokens', '--temperature', '--top-p', '--seed', '--verbose']],
    [['convert', '--help'], ['--out', '--precision', '--block-size', '--vision-precision', '--llm-precision', '--attention', '--template', '--parts', '--verbose']],
    [['run', '--help'], ['<pipeline>', '--verbose']],
  ])('%j goes to stdout and names %j', async (args, expected) => {
    const { status, stdout, stderr } = await runCli(args)
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    for (const text of expected) expect(stdout).toContain(text)
  })

  test('--version is the package’s', async () => {
    const { status, stdout } = await runCli(['--version'])
    expect(status).toBe(0)
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  })
})
