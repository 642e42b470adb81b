import type { CheckpointDescription } from '../checkpoint/config.js'
import { unsupported } from '../checkpoint/config.js'
import type { CheckpointWeights } from '../checkpoint/weights.js'
import { GraphBuilder } from '../graph/builder.js'
import { Module, type ModuleContext } from '../graph/module.js'
import { GRAPH_FILES, type Manifest } from '../manifest.js'
import { connectors } from '../parts/connectors/connectors.js'
import { findPart } from '../parts/find-part.js'
import { languageModels } from '../parts/language-models/language-models.js'
import type { LanguageModelShape, PixelRules } from '../parts/part.js'
import { visionTowers } from '../parts/towers/towers.js'
import type { PartPrecision } from '../precision.js'
import { buildConnector, buildFrameConnector, buildJoinFrames } from './connector-graphs.js'
import { buildAppendingDecoder, buildDecoder, buildEmbedding } from './decoder-graph.js'
import type { PrecisionPlan } from './precisions.js'
import { preprocessGraph } from './preprocess-graph.js'
import { buildVisionEncoder } from './vision-graph.js'

/** The graphs of a bundle, built and not yet written, and what the manifest says of them. */
export interface ConversionPlan {
  /** By file name, in the order they are to be written. */
  readonly graphs: ReadonlyMap<string, GraphBuilder>
  /** The vision encoder in float32, where the one of `graphs` has to be compared with it. */
  readonly exactTower: GraphBuilder | undefined
  readonly parts: Pick<Manifest, 'visionTower' | 'connector' | 'languageModel' | 'template'>
}

/** How a checkpoint's graphs are built. */
export interface PlanContext extends Omit<ModuleContext, 'precision'> {
  readonly precisions: PrecisionPlan['precisions']
}

// The benchmarks' longest answer: what the rotary tables cover beyond the longest prompt.
const LONGEST_ANSWER = 1024

// A tokenizer without a limit is saved with 1e30.
const NO_LIMIT = 1e9

const EXACT: PartPrecision = { weights: 'fp32', activations: 'float32' }

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
  { precisions, ...context }: PlanContext,
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
  const build = (file: string, part: keyof typeof precisions, fill: (root: Module) => void): void => {
    graphs.set(file, buildGraph(file, weights, { ...context, precision: precisions[part], fill }))
  }
  const buildTower = (root: Module): void => { buildVisionEncoder(root, tower.part, rules, config) }
  build(GRAPH_FILES.visionEncoder, 'visionTower', buildTower)
  const sizes = { tokensPerFrame, visionWidth: towerShape.width, width: shape.width }
  const { alone } = connector
  build(GRAPH_FILES.connector, 'connector', (root) => { buildConnector(root, connector, config, sizes) })
  if (alone !== undefined) {
    build(GRAPH_FILES.frameConnector, 'connector', (root) => { buildFrameConnector(root, alone, config, sizes) })
    build(GRAPH_FILES.joinFrames, 'connector', (root) => { buildJoinFrames(root, alone, config, sizes) })
  }
  const buildLanguage = (file: string, fill: (module: Module) => void): void => {
    build(file, 'languageModel', (root) => { fill(root.child('language_model')) })
  }
  const decoder = { model: language.part, config, shape, positions }
  buildLanguage(GRAPH_FILES.embedTokens, (module) => { buildEmbedding(module, language.part, config) })
  buildLanguage(GRAPH_FILES.decoder, (module) => { buildDecoder({ module, ...decoder }) })
  buildLanguage(GRAPH_FILES.appendingDecoder, (module) => { buildAppendingDecoder({ module, ...decoder }) })
  const exact = { ...context, precision: EXACT, onRaw: undefined, fill: buildTower }
  const hasToProve = precisions.visionTower.weights === 'int8-dynamic'
  const exactTower = hasToProve ? buildGraph(GRAPH_FILES.visionEncoder, weights, exact) : undefined
  weights.check()

  return {
    graphs,
    exactTower,
    parts: {
      template: language.part.template,
      visionTower: { name: tower.name, imageSize: rules.imageSize, tokensPerFrame, width: towerShape.width },
      connector: { name: config.connector_type, ...(alone && { framesAlone: alone.frames(config) }) },
      languageModel: manifestLanguageModel(language.name, shape, prompt, positions),
    },
  }
}

/** Builds one graph of the checkpoint; `fill` gets the module at its root. */
function buildGraph(
  file: string,
  weights: CheckpointWeights,
  { fill, ...context }: ModuleContext & { readonly fill: (root: Module) => void },
): GraphBuilder {
  const root = new Module(GraphBuilder.empty(file.replace('.onnx', '')), weights, context)
  fill(root)
  return root.graph
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
