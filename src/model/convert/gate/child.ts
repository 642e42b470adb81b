/**
 * A process that runs two vision encoders on the same pictures and sends the cosine of each picture's features.
 *
 * A process of its own, because ONNX Runtime blocks the thread that runs it and keeps its memory until the end.
 *
 * ```
 * node child.js EXACT.onnx QUANTISED.onnx IMAGE_SIZE
 * ```
 */
import { InferenceSession, Tensor } from 'onnxruntime-node'

import { floatFeatures } from '../../feature-values.js'
import { PIXEL_LEVELS } from '../../manifest.js'
import { cosine } from './cosine.js'
import { drawPictures } from './pictures.js'

const [exact = '', quantised = '', imageSize = ''] = process.argv.slice(2)

/** One picture at a time: a scale for all that goes into a layer depends on what else is in the batch. */
async function featuresOf(path: string, size: number): Promise<readonly Float32Array[]> {
  const session = await InferenceSession.create(path, { logSeverityLevel: 3 })
  const features: Float32Array[] = []
  for (const picture of drawPictures(size)) {
    const outputs = await session.run({
      pixels: new Tensor('uint8', picture, [1, size, size, 3]),
      levels: new Tensor('int64', BigInt64Array.of(BigInt(PIXEL_LEVELS.frame)), [1]),
    })
    features.push(floatsOf(path, outputs.features))
  }
  await session.release()
  return features
}

function floatsOf(path: string, output: Tensor | undefined): Float32Array {
  const { type, data } = output ?? {}
  if (data instanceof Float32Array) return data
  if (type === 'float16' && ArrayBuffer.isView(data)) return floatFeatures(new Uint16Array(data.buffer, data.byteOffset, data.length))
  throw new Error(`${path} gives no features.`)
}

const expected = await featuresOf(exact, Number(imageSize))
const actual = await featuresOf(quantised, Number(imageSize))
process.send?.(expected.map((features, index) => cosine(features, actual[index] ?? features)))
