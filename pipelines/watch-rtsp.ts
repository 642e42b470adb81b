/**
 * Watches a camera, and answers about the last 16 seconds every 8.
 *
 * ```sh
 * CAMERA_USER=… CAMERA_PASSWORD=… npx tinyllava-stream run pipelines/watch-rtsp.ts rtsp://10.0.0.7/live "Is anybody at the door?"
 * ```
 *
 * User and password are taken from `CAMERA_USER` and `CAMERA_PASSWORD` where they are set, or from the address. Prints
 * the answers, and appends them to `answers.jsonl`. Runs until it is stopped (Ctrl-C); a camera that is lost is found
 * again.
 */
import { answer, byFps, consoleSink, definePipeline, encode, jsonLines, rtsp, slidingWindow } from 'tinyllava-stream'

const [address = 'rtsp://127.0.0.1:8554/live', ...questions] = process.argv.slice(2)
const { CAMERA_USER, CAMERA_PASSWORD } = process.env

export default definePipeline({
  name: 'watch-rtsp',
  sources: [
    rtsp(address, {
      sampling: byFps(1),
      ...(CAMERA_USER !== undefined && { userEnv: 'CAMERA_USER' }),
      ...(CAMERA_PASSWORD !== undefined && { passwordEnv: 'CAMERA_PASSWORD' }),
    }),
  ],
  stream: (frames, { model }) =>
    frames.pipe(
      encode(model),
      slidingWindow({ seconds: 16, everySeconds: 8 }),
      answer(model, questions.length > 0 ? questions : ['What is happening?']),
    ),
  sinks: [consoleSink(), jsonLines('answers.jsonl')],
})
