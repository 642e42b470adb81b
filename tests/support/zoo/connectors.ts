/** Tensors of connectors by their names in the reference: written down from its classes, not from our parts. */
import { type TensorShape, dense, norm, stack } from './shapes.js'

/** Widths on both sides of a connector, and what `config.json` says of a resampler. */
export interface ConnectorSizes {
  readonly visionWidth: number
  readonly width: number
  readonly num_queries: number
  readonly group: number
  readonly num_resampler_layers: number
}

const HEADS_WIDTH = 8 * 64

/** `groupresampler`: its latents are those of one part. */
export const groupResamplerTensors = (sizes: ConnectorSizes): readonly TensorShape[] =>
  resamplerTensors(sizes, Math.floor(sizes.num_queries / sizes.group))

/** `naiveresampler`. */
export const naiveResamplerTensors = (sizes: ConnectorSizes): readonly TensorShape[] => resamplerTensors(sizes, sizes.num_queries)

function resamplerTensors({ visionWidth, width, num_resampler_layers: layers }: ConnectorSizes, latents: number): readonly TensorShape[] {
  const plain = { bias: false }
  return [
    ['latents', [latents, width]],
    ...dense('linear', [width, visionWidth]),
    ...stack('layers', layers, () => [
      ...norm('0.norm_media', width),
      ...norm('0.norm_latents', width),
      ...dense('0.to_q', [HEADS_WIDTH, width], plain),
      ...dense('0.to_kv', [2 * HEADS_WIDTH, width], plain),
      ...dense('0.to_out', [width, HEADS_WIDTH], plain),
      ...norm('1.0', width),
      ...dense('1.1', [4 * width, width], plain),
      ...dense('1.3', [width, 4 * width], plain),
    ]),
    ...norm('norm', width),
  ]
}

/** `mlp2x_gelu`. */
export const mlp2xTensors = ({ visionWidth, width }: ConnectorSizes): readonly TensorShape[] => [
  ...dense('0', [width, visionWidth]),
  ...dense('2', [width, width]),
]
