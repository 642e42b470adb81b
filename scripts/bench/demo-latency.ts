import { fileURLToPath } from 'node:url'

import { loadModel } from 'tinyllava-stream'

import { type Row, median, medianMs } from './measure.js'

const clip = fileURLToPath(new URL('../../pipelines/samples/two-shapes.mp4', import.meta.url))

/** Times a whole answer of the demo model, from the mp4 to the text, against what of it is the model's. */
export async function benchDemoLatency({ repeats }: { repeats: number }): Promise<Row> {
  const model = await loadModel()
  try {
    const inModel: number[] = []
    const whole = await medianMs(async () => {
      const { timingsMs } = await model.ask(clip, 'Describe the video.')
      inModel.push(Object.values(timingsMs).reduce((sum, part) => sum + part, 0))
    }, repeats)
    // The first was no counted one.
    const modelMs = median(inModel.slice(1))
    return {
      what: 'demo model, 16 frames, one question, from mp4 to answer: whole time against the model\'s part',
      figure: `${whole.toFixed(0)} ms`,
      against: `${modelMs.toFixed(0)} ms in the model`,
      ratio: whole / modelMs,
    }
  } finally {
    await model.dispose()
  }
}
