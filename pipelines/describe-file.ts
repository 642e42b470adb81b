/**
 * Describes a video file: the sample clip, or the one that is named.
 *
 * ```sh
 * npm start
 * npx tinyllava-stream run pipelines/describe-file.ts clip.mp4
 * ```
 *
 * Prints the answers with the times of the frames that were looked at, and appends them to `answers.jsonl`.
 */
import { fileURLToPath } from 'node:url'

import { answer, consoleSink, definePipeline, encode, file, jsonLines, uniform, wholeClip } from 'tinyllava-stream'

const sampleClip = fileURLToPath(new URL('./samples/two-shapes.mp4', import.meta.url))
const video = process.argv[2] ?? sampleClip

const questions = [
  'Describe the video.',
  'How many shapes are there?',
  'What color is the shape?',
  'Which way does it move?',
]

export default definePipeline({
  name: 'describe-file',
  sources: [file(video, { sampling: uniform(16) })],
  stream: (frames, { model }) => frames.pipe(encode(model), wholeClip(), answer(model, questions)),
  sinks: [consoleSink(), jsonLines('answers.jsonl')],
})
