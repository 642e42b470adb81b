/**
 * What a part of a model is written with: `tinyllava-stream/parts`, for towers, connectors, language models and chat
 * templates of your own. `docs/PARTS.md` is the guide.
 *
 * Kept stable within a minor version: what a part is handed may grow with the models that are to be described. Registries
 * are the very ones that `convertCheckpoint` and `loadModel` look into.
 */

// Where parts are registered, by name
export { connectors } from './model/parts/connectors/connectors.js'
export { languageModels } from './model/parts/language-models/language-models.js'
export { templates } from './model/parts/templates/templates.js'
export { visionTowers } from './model/parts/towers/towers.js'
export type { Registry } from './model/parts/registry.js'

// What a part is
export type {
  Attend,
  Connector,
  FramesAlone,
  LanguageModel,
  LanguageModelShape,
  LayerHeads,
  PixelRules,
  RotaryShape,
  TowerSource,
  VisionTower,
  VisionTowerShape,
} from './model/parts/part.js'
export type { Template } from './model/parts/templates/template.js'

// What it reads
export { parseConfig, unsupported } from './model/checkpoint/config.js'
export type { CheckpointConfig } from './model/checkpoint/config.js'
export type { ImageProcessorConfig } from './model/checkpoint/image-processor.js'
export { requireField } from './model/parts/connectors/resampler-config.js'
export { decoderShape } from './model/parts/language-models/decoder-only.js'
export type { DecoderOnlyConfig } from './model/parts/language-models/decoder-only.js'
export { eosList, eosSchema } from './model/parts/language-models/eos.js'
export type { EosTokenIds } from './model/parts/language-models/eos.js'
export { FACTORY_SYSTEM } from './model/parts/templates/template.js'
export { fixedPixelRules, pixelRules } from './model/parts/towers/pixel-rules.js'
export { StreamError } from './errors.js'

// What it builds
export { Module, widthOf } from './model/graph/module.js'
export type { AttentionLowering, AttentionWatch } from './model/graph/module.js'
export { GraphBuilder, MICROSOFT, float } from './model/graph/builder.js'
export type { Attribute, NodeOptions, OutputType } from './model/graph/builder.js'
export type { DataType, Dimension, Value } from './model/graph/value.js'

// Blocks: several operators each, in the precision that the part is converted to
export { attention } from './model/graph/blocks/attention.js'
export type { AttentionInputs } from './model/graph/blocks/attention.js'
export { embedding } from './model/graph/blocks/embedding.js'
export { linear } from './model/graph/blocks/linear.js'
export type { LinearOptions } from './model/graph/blocks/linear.js'
export { layerNorm, layerNormHeads, rmsNorm, rmsNormHeads, shiftedRmsNorm, standardise } from './model/graph/blocks/norm.js'
export { perceiver } from './model/graph/blocks/perceiver.js'
export type { PerceiverInputs } from './model/graph/blocks/perceiver.js'
export { positionEncoding } from './model/graph/blocks/position-encoding.js'
export { activation } from './model/parts/activations.js'
export type { Activation } from './model/parts/activations.js'
export { tokenRows } from './model/parts/connectors/project-tokens.js'
export { embedTokens, headOrEmbedding } from './model/parts/language-models/decoder-only.js'
export { layersUpTo } from './model/parts/towers/feature-layer.js'
export { embedPatches, patchesAcross, withClassToken } from './model/parts/towers/patches.js'
export type { PatchGeometry } from './model/parts/towers/patches.js'
export { visionAttention } from './model/parts/towers/vision-attention.js'
export type { AttentionModules, TokenGeometry } from './model/parts/towers/vision-attention.js'

// Operators, one each
export {
  add,
  and,
  cast,
  concat,
  cosine,
  divide,
  expand,
  float32,
  gather,
  geluExact,
  geluTanh,
  int64,
  isLess,
  isLessOrEqual,
  matmul,
  maximum,
  minimum,
  modulo,
  multiply,
  quickGelu,
  range,
  reduceMax,
  reduceSum,
  reshape,
  scalarLike,
  shapeOf,
  silu,
  sine,
  slice,
  softmax,
  splitLast,
  squeeze,
  subtract,
  transpose,
  unsqueeze,
  where,
} from './model/graph/ops.js'
