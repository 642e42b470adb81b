/**
 * Asks about a video file: about the sample clip, or the one that is named.
 *
 * ```sh
 * npm start
 * npx tinyllava-stream run pipelines/describe-file.ts clip.mp4 "What shape is it?"
 * ```
 *
 * Prints the answers with the times of the frames that were looked at, and appends them to `answers.jsonl`.
 */
import { fileURLToPath } from 'node:url'

import { answer, consoleSink, definePipeline, encode, file, jsonLines, uniform, wholeClip } from 'tinyllava-stream'

const sampleClip = fileURLToPath(new URL('./samples/two-shapes.mp4', import.meta.url))
const sampleQuestions = [
  'Describe the video.',
  'How many shapes are there?',
  'What color is the star?',
  'When does the second shape appear?',
]

const [video = sampleClip, ...questions] = process.argv.slice(2)

export default definePipeline({
  name: 'describe-file',
  sources: [file(video, { sampling: uniform(16) })],
  stream: (frames, { model }) =>
    frames.pipe(encode(model), wholeClip(), answer(model, questions.length > 0 ? questions : sampleQuestions)),
  sinks: [consoleSink(), jsonLines('answers.jsonl')],
})
