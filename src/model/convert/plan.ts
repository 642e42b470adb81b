import type { CheckpointConfig, CheckpointDescription } from '../checkpoint/config.js'
import type { CheckpointWeights } from '../checkpoint/weights.js'
import { GraphBuilder } from '../graph/builder.js'
import { Module, type ModuleContext } from '../graph/module.js'
import type { Value } from '../graph/value.js'
import { GRAPH_FILES, type Manifest } from '../manifest.js'
import { connectors } from '../parts/connectors/connectors.js'
import { findByName, findPart } from '../parts/find-part.js'
import { languageModels } from '../parts/language-models/language-models.js'
import type { LanguageModelShape, TowerSource } from '../parts/part.js'
import { visionTowers } from '../parts/towers/towers.js'
import type { Activations, PartPrecision } from '../precision.js'
import { buildExplainingConnector, connectorGraphs, describeConnector } from './connector-graphs.js'
import { buildAppendingDecoder, buildDecoder, buildEmbedding, buildExplainingDecoder } from './decoder-graph.js'
import type { PrecisionPlan } from './precisions.js'
import { padColourOf } from './picture-padding.js'
import { preprocessGraph } from './preprocess-graph.js'
import { TOWER, buildVisionEncoder } from './vision-graph.js'

/** The graphs of a bundle, built and not yet written, and what the manifest says of them. */
export interface ConversionPlan {
  /** By file name, in the order they are to be written. */
  readonly graphs: ReadonlyMap<string, GraphBuilder>
  /** The vision encoder in float32, where the one of `graphs` has to be compared with it. */
  readonly exactTower: GraphBuilder | undefined
  readonly parts: Pick<Manifest, 'visionTower' | 'connector' | 'languageModel' | 'explaining' | 'template'>
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
  const connector = findByName(connectors, config.connector_type)
  const language = findPart(languageModels, {
    modelType: config.text_config.model_type,
    path: config.llm_model_name_or_path ?? '',
    fields: 'text_config.model_type / llm_model_name_or_path',
  })
  const towerShape = tower.part.describe(config, towerSource(description, weights))
  const rules = towerShape.pixels
  const padColour = padColourOf(config, rules)
  const shape = language.part.describe(config)
  const prompt = promptLimit(config.tokenizer_model_max_length)
  const positions = shape.endsAtMaxPositions ? shape.maxPositions : Math.max(shape.maxPositions, (prompt ?? 0) + LONGEST_ANSWER)
  const tokensPerFrame = towerShape.tokens - (config.vision_feature_select_strategy === 'patch' ? 1 : 0)

  const graphs = new Map<string, GraphBuilder>([[GRAPH_FILES.preprocess, preprocessGraph(rules)]])
  const build = (file: string, part: keyof typeof precisions, fill: (root: Module) => void): void => {
    graphs.set(file, buildGraph(file, weights, { ...context, precision: precisions[part], fill }))
  }
  const features = featuresType(precisions.visionTower)
  const buildTower = (root: Module): void => { buildVisionEncoder(root, config, { tower: tower.part, rules, features }) }
  build(GRAPH_FILES.visionEncoder, 'visionTower', buildTower)
  const sizes = { tokensPerFrame, visionWidth: towerShape.width, features, width: shape.width }
  for (const [file, fill] of connectorGraphs(connector, config, sizes)) build(file, 'connector', fill)
  const looking = buildLooking(weights, { ...context, precision: precisions.connector }, { connector, config, sizes })
  if (looking !== undefined) graphs.set(GRAPH_FILES.explainingConnector, looking)
  const buildLanguage = (file: string, fill: (module: Module) => void): void => {
    build(file, 'languageModel', (root) => { fill(root.child('language_model')) })
  }
  const decoder = { model: language.part, config, shape, positions }
  buildLanguage(GRAPH_FILES.embedTokens, (module) => { buildEmbedding(module, language.part, config) })
  buildLanguage(GRAPH_FILES.decoder, (module) => { buildDecoder({ module, ...decoder }) })
  buildLanguage(GRAPH_FILES.appendingDecoder, (module) => { buildAppendingDecoder({ module, ...decoder }) })
  buildLanguage(GRAPH_FILES.explainingDecoder, (module) => { buildExplainingDecoder({ module, ...decoder }) })
  const exact = { ...context, precision: EXACT, onRaw: undefined, fill: buildTower }
  const hasToProve = precisions.visionTower.weights === 'int8-dynamic'
  const exactTower = hasToProve ? buildGraph(GRAPH_FILES.visionEncoder, weights, exact) : undefined
  weights.check()

  return {
    graphs,
    exactTower,
    parts: {
      template: description.template ?? language.part.template,
      visionTower: {
        ...{ name: tower.name, imageSize: rules.imageSize, tokensPerFrame, width: towerShape.width, features },
        ...(rules.shortestEdge !== undefined && { shortestEdge: rules.shortestEdge }),
        ...(padColour && { padColour }),
      },
      connector: describeConnector(connector, config),
      languageModel: manifestLanguageModel(language.name, shape, prompt, positions),
      explaining: { patches: patchesOf(towerShape.tokens, config), looks: looking !== undefined },
    },
  }
}

/**
 * Rounding to float16 is off by 1 in 2,048 at most, less than a twentieth of what even 8-bit weights are off by: features
 * take half the memory in every window. A tower in fp32 stays exact.
 */
const featuresType = ({ weights }: PartPrecision): Activations => (weights === 'fp32' ? 'float32' : 'float16')

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

/** The connector that says where it looked; undefined where it has no attention. */
function buildLooking(
  weights: CheckpointWeights,
  context: ModuleContext,
  parts: Parameters<typeof buildExplainingConnector>[2],
): GraphBuilder | undefined {
  const looks: Value[] = []
  const watch = (look: Value): void => { looks.push(look) }
  const fill = (root: Module): void => { buildExplainingConnector(root, looks, parts) }
  const graph = buildGraph(GRAPH_FILES.explainingConnector, weights, { ...context, watch, fill })
  return looks.length === 0 ? undefined : graph
}

/** Which patches a frame's tokens are: the picture is a square of them, behind the tower's class tokens. */
function patchesOf(tokens: number, { vision_feature_select_strategy: strategy }: CheckpointConfig): Manifest['explaining']['patches'] {
  const across = Math.floor(Math.sqrt(tokens))
  return { across, first: (strategy === 'patch' ? 1 : 0) - (tokens - across ** 2) }
}

function manifestLanguageModel(
  name: string,
  shape: LanguageModelShape,
  maxPromptTokens: number | null,
  maxPositions: number,
): Manifest['languageModel'] {
  const { width, layers, headSize, vocabularySize, eosTokenIds } = shape
  const keyValueHeads = layers.map((layer) => layer.keyValueHeads)
  return { name, width, keyValueHeads, headSize, vocabularySize, eosTokenIds: [...eosTokenIds], maxPromptTokens, maxPositions }
}

/** What a tower is told of the checkpoint beside its configuration. */
function towerSource({ imageProcessor }: CheckpointDescription, weights: CheckpointWeights): TowerSource {
  const tensors = weights.scope(TOWER)
  return { imageProcessor, shapeOf: (name) => tensors.shapeOf(name) }
}

function promptLimit(limit: number | null | undefined): number | null {
  return limit === null || limit === undefined || limit > NO_LIMIT ? null : Math.floor(limit)
}
