import type { CheckpointDescription } from '../checkpoint/config.js'
import { unsupported } from '../checkpoint/config.js'
import type { RawListener } from '../checkpoint/source.js'
import type { CheckpointWeights } from '../checkpoint/weights.js'
import { GraphBuilder } from '../graph/builder.js'
import { type AttentionLowering, Module } from '../graph/module.js'
import { GRAPH_FILES, type Manifest } from '../manifest.js'
import { connectors } from '../parts/connectors/connectors.js'
import { findPart } from '../parts/find-part.js'
import { languageModels } from '../parts/language-models/language-models.js'
import type { LanguageModelShape, PixelRules } from '../parts/part.js'
import { visionTowers } from '../parts/towers/towers.js'
import { buildDecoder, buildEmbedding } from './decoder-graph.js'
import { preprocessGraph } from './preprocess-graph.js'
import { buildVisionEncoder } from './vision-graph.js'

/** The graphs of a bundle, built and not yet written, and what the manifest says of them. */
export interface ConversionPlan {
  /** By file name, in the order they are to be written. */
  readonly graphs: ReadonlyMap<string, GraphBuilder>
  readonly parts: Pick<Manifest, 'visionTower' | 'connector' | 'languageModel' | 'template'>
}

// The benchmarks' longest answer: what the rotary tables cover beyond the longest prompt.
const LONGEST_ANSWER = 1024

// A tokenizer without a limit is saved with 1e30.
const NO_LIMIT = 1e9

// Pillow's number for bicubic, the only filter preprocess.onnx has.
const BICUBIC = 3

/**
 * Builds all graphs of a checkpoint; takes its weights but reads none.
 *
 * @throws {StreamError} `PART_UNKNOWN`, `CHECKPOINT_CONFIG_INVALID`, `CHECKPOINT_UNSUPPORTED`,
 *   `CHECKPOINT_WEIGHTS_INVALID`, `CHECKPOINT_TENSOR_MISSING`, `CHECKPOINT_TENSOR_UNUSED`.
 */
export function planConversion(
  description: CheckpointDescription,
  weights: CheckpointWeights,
  attention: AttentionLowering,
  onRaw: RawListener,
): ConversionPlan {
  const { config } = description
  const tower = findPart(visionTowers, {
    modelType: config.vision_config.model_type,
    path: config.vision_model_name_or_path ?? '',
    fields: 'vision_config.model_type / vision_model_name_or_path',
  })
  const connector = connectors.get(config.connector_type)
  const language = findPart(languageModels, {
    modelType: config.text_config.model_type,
    path: config.llm_model_name_or_path ?? '',
    fields: 'text_config.model_type / llm_model_name_or_path',
  })
  const towerShape = tower.part.describe(config)
  const rules = pixelRules(towerShape.pixels, description)
  const shape = language.part.describe(config)
  const prompt = promptLimit(config.tokenizer_model_max_length)
  const positions = Math.max(shape.maxPositions, (prompt ?? 0) + LONGEST_ANSWER)
  const tokensPerFrame = towerShape.tokens - (config.vision_feature_select_strategy === 'patch' ? 1 : 0)

  const graphs = new Map<string, GraphBuilder>([[GRAPH_FILES.preprocess, preprocessGraph(rules.imageSize)]])
  const build = (file: string, scope: string | undefined, fill: (module: Module) => void): void => {
    const root = new Module(GraphBuilder.empty(file.replace('.onnx', '')), weights, attention, onRaw)
    fill(scope === undefined ? root : root.child(scope))
    graphs.set(file, root.graph)
  }
  build(GRAPH_FILES.visionEncoder, undefined, (module) => { buildVisionEncoder(module, tower.part, rules, config) })
  build(GRAPH_FILES.connector, 'connector', (module) => {
    const features = module.graph.input('features', 'float32', ['frames', tokensPerFrame, towerShape.width])
    module.graph.output('visual_tokens', connector.build(module, features, config, shape.width))
  })
  build(GRAPH_FILES.embedTokens, 'language_model', (module) => { buildEmbedding(module, language.part, config) })
  build(GRAPH_FILES.decoder, 'language_model', (module) => { buildDecoder(module, language.part, config, shape, positions) })
  weights.check()

  return {
    graphs,
    parts: {
      template: language.part.template,
      visionTower: { name: tower.name, imageSize: rules.imageSize, tokensPerFrame, width: towerShape.width },
      connector: { name: config.connector_type },
      languageModel: manifestLanguageModel(language.name, shape, prompt, positions),
    },
  }
}

function manifestLanguageModel(
  name: string,
  shape: LanguageModelShape,
  maxPromptTokens: number | null,
  maxPositions: number,
): Manifest['languageModel'] {
  const { width, layers, keyValueHeads, headSize, vocabularySize, eosTokenIds } = shape
  return { name, width, layers, keyValueHeads, headSize, vocabularySize, eosTokenIds: [...eosTokenIds], maxPromptTokens, maxPositions }
}

/** The tower family's constants, with what a `preprocessor_config.json` in the folder says instead. */
function pixelRules(family: PixelRules, { imageProcessor }: CheckpointDescription): PixelRules {
  const { size, image_mean: mean, image_std: std, rescale_factor: rescaleFactor, resample } = imageProcessor
  if (resample !== undefined && resample !== BICUBIC) throw unsupported(`resample ${resample} in preprocessor_config.json`)
  if (size?.height !== undefined && (size.height !== family.imageSize || size.width !== family.imageSize)) {
    throw unsupported(`A picture size in preprocessor_config.json that differs from vision_config.image_size (${family.imageSize})`)
  }
  return { ...family, ...(mean && { mean }), ...(std && { std }), ...(rescaleFactor !== undefined && { rescaleFactor }) }
}

function promptLimit(limit: number | null | undefined): number | null {
  return limit === null || limit === undefined || limit > NO_LIMIT ? null : Math.floor(limit)
}
