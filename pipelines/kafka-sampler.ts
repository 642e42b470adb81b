/**
 * Takes one frame a second from a camera and sends them to a Kafka topic, for `kafka-worker.ts` to answer about: this
 * end runs by the camera and needs no model.
 *
 * ```sh
 * KAFKA_BROKERS=127.0.0.1:9092 npx tinyllava-stream run pipelines/kafka-sampler.ts rtsp://10.0.0.7/live door
 * ```
 *
 * The second argument names the stream. `KAFKA_BROKERS` (127.0.0.1:9092; several with commas between them) and
 * `KAFKA_FRAMES_TOPIC` (`frames`, which must be there) say where to; user and password of the camera are taken from
 * `CAMERA_USER` and `CAMERA_PASSWORD` where they are set, or from the address.
 */
import { byFps, definePipeline, rtsp, toTopic } from 'tinyllava-stream'

const [address = 'rtsp://127.0.0.1:8554/live', id = 'camera'] = process.argv.slice(2)
const { KAFKA_BROKERS = '127.0.0.1:9092', KAFKA_FRAMES_TOPIC = 'frames', CAMERA_USER, CAMERA_PASSWORD } = process.env

export default definePipeline({
  name: 'kafka-sampler',
  model: null,
  sources: [
    rtsp(address, {
      id,
      sampling: byFps(1),
      ...(CAMERA_USER !== undefined && { userEnv: 'CAMERA_USER' }),
      ...(CAMERA_PASSWORD !== undefined && { passwordEnv: 'CAMERA_PASSWORD' }),
    }),
  ],
  stream: (frames) => frames.pipe(toTopic({ brokers: KAFKA_BROKERS.split(','), topic: KAFKA_FRAMES_TOPIC })),
})
