import { unsupported } from '../../checkpoint/config.js'
import { StreamError } from '../../../errors.js'
import { concat } from '../../graph/ops.js'
import type { TowerSource, VisionTower } from '../part.js'
import { buildClip, describeClip } from './clip.js'
import { type Dinov2Geometry, buildDinov2, dinov2Tokens } from './dinov2-model.js'

// Of every DINOv2 there is: heads can't be told from the tensors.
const HEAD_SIZE = 64
const EPSILON = 1e-6
const ACTIVATION = 'gelu'

/**
 * MoF, mixture of features (Tong et al. 2024, "Eyes Wide Shut?"; reference: TinyLLaVA_Factory's
 * `model/vision_tower/mof.py`): CLIP and DINOv2 side by side, both fed with CLIP's pixels.
 *
 * ```
 * pixels ─┬─ clip ───┬ Concat ──► [frames, tokens, 2 * width]
 *         └─ dinov2 ─┘
 * ```
 *
 * A checkpoint holds CLIP's configuration alone; DINOv2's sizes are read off its tensors, and what those don't tell is
 * as in every published DINOv2: heads of 64, GELU, epsilon 1e-6. It is found by its name in front of the base model's
 * (`mof:openai/…`), because `vision_config` says that it is a CLIP.
 */
export const mof: VisionTower = {
  modelTypes: ['mof'],

  describe(config, source) {
    const clip = describeClip(config, source)
    const geometry = readGeometry((name) => source.shapeOf(`dinov2.${name}`))
    const tokens = dinov2Tokens(geometry, clip.pixels.imageSize)
    if (tokens !== clip.tokens || geometry.width !== clip.width) {
      const sizes = `${clip.tokens} tokens of ${clip.width} from CLIP and ${tokens} of ${geometry.width} from DINOv2`
      throw unsupported(`A MoF tower with ${sizes}, which should be the same,`)
    }
    return { ...clip, width: 2 * clip.width }
  },

  build(module, pixels, config) {
    const dinov2 = module.child('dinov2')
    const geometry = readGeometry((name) => dinov2.shapeOf(name))
    const features = [
      buildClip(module.child('clip'), pixels, config),
      buildDinov2(dinov2, pixels, geometry, config.vision_feature_layer),
    ]
    return concat(module.graph, features, 2, 2 * geometry.width)
  },
}

/** Reads the sizes of a DINOv2 off its tensors. @throws {StreamError} `CHECKPOINT_TENSOR_MISSING`. */
function readGeometry(shapeOf: TowerSource['shapeOf']): Dinov2Geometry {
  const size = (name: string, axis: number): number => {
    const found = shapeOf(name)?.[axis]
    if (found !== undefined) return found
    throw new StreamError('CHECKPOINT_TENSOR_MISSING', `The checkpoint of a MoF tower lacks vision_tower._vision_tower.dinov2.${name}.`)
  }
  const width = size('embeddings.cls_token', 2)
  if (width % HEAD_SIZE !== 0) throw unsupported(`A DINOv2 of width ${width}, which is no multiple of ${HEAD_SIZE},`)
  const isSwiglu = shapeOf('encoder.layer.0.mlp.weights_in.weight') !== undefined
  return {
    width,
    heads: width / HEAD_SIZE,
    layers: countLayers(shapeOf),
    patch: size('embeddings.patch_embeddings.projection.weight', 2),
    positions: Math.floor(Math.sqrt(size('embeddings.position_embeddings', 1) - 1)),
    inner: isSwiglu ? size('encoder.layer.0.mlp.weights_out.weight', 1) : size('encoder.layer.0.mlp.fc1.weight', 0),
    feedForward: isSwiglu ? 'swiglu' : ACTIVATION,
    bias: shapeOf('encoder.layer.0.attention.attention.query.bias') !== undefined,
    epsilon: EPSILON,
  }
}

function countLayers(shapeOf: TowerSource['shapeOf']): number {
  let layers = 0
  while (shapeOf(`encoder.layer.${layers}.norm1.weight`) !== undefined) layers += 1
  return layers
}
