/**
 * The contracts of the interchangeable parts of a model.
 *
 * Each part is one file, registered by name in a typed table. It reads its own section of the
 * configuration and builds its own piece of a graph; it knows nothing of the other parts.
 */
import type { CheckpointConfig } from '../checkpoint/config.js'
import type { Module } from '../graph/module.js'
import type { Value } from '../graph/value.js'

/** How a tower wants its pixels. */
export interface PixelRules {
  /** Side of the square input, in pixels. */
  readonly imageSize: number
  /** Factor from 0…255 to 0…1, in float64. */
  readonly rescaleFactor: number
  /** Mean of each channel (R, G, B), after rescaling. */
  readonly mean: readonly number[]
  /** Standard deviation of each channel, after rescaling. */
  readonly std: readonly number[]
}

/** What a tower of one checkpoint is. */
export interface VisionTowerShape {
  readonly pixels: PixelRules
  /** Tokens of one frame before `vision_feature_select_strategy` is applied. */
  readonly tokens: number
  /** Width of a token. */
  readonly width: number
}

/** A vision tower: pixels to features. */
export interface VisionTower {
  /** Values of `vision_config.model_type` it stands for. */
  readonly modelTypes: readonly string[]
  /** @throws {StreamError} `CHECKPOINT_CONFIG_INVALID`, `CHECKPOINT_UNSUPPORTED`. */
  describe(config: CheckpointConfig): VisionTowerShape
  /**
   * Builds the tower up to `vision_feature_layer`.
   *
   * @param module At `vision_tower._vision_tower`.
   * @param pixels Normalised, `[frames, 3, imageSize, imageSize]`, of the activations' type.
   * @returns `[frames, tokens, width]`.
   */
  build(module: Module, pixels: Value, config: CheckpointConfig): Value
}

/** A connector: features of a clip's frames to visual tokens. */
export interface Connector {
  /**
   * @param module At `connector`.
   * @param features `[frames, tokens, visionWidth]`.
   * @param width Width of the language model.
   * @returns `[visual, width]`.
   * @throws {StreamError} `CHECKPOINT_CONFIG_INVALID`.
   */
  build(module: Module, features: Value, config: CheckpointConfig, width: number): Value
  /** Where it condenses frames one by one in clips of a certain length: then a frame is condensed once in its life. */
  readonly alone?: FramesAlone
}

/** A connector cut in two, for clips in which no frame's tokens depend on another frame. */
export interface FramesAlone {
  /** Number of frames of such a clip. @throws {StreamError} `CHECKPOINT_CONFIG_INVALID`. */
  frames(config: CheckpointConfig): number
  /**
   * @param features `[1, tokens, visionWidth]`: one frame.
   * @returns `[queries, width]`: what does not depend on the frame's place.
   */
  condense(module: Module, features: Value, config: CheckpointConfig, width: number): Value
  /**
   * @param frameTokens `[visual, width]`: those of all frames, in order.
   * @returns `[visual, width]`.
   */
  join(module: Module, frameTokens: Value, config: CheckpointConfig, width: number): Value
}

/** What a language model of one checkpoint is. */
export interface LanguageModelShape {
  readonly width: number
  readonly layers: number
  readonly heads: number
  readonly keyValueHeads: number
  readonly headSize: number
  readonly vocabularySize: number
  /** Values of each head that are rotated by position. */
  readonly rotated: number
  readonly ropeTheta: number
  /** Positions the model was made for. */
  readonly maxPositions: number
  readonly eosTokenIds: readonly number[]
}

/** Causal attention of one layer, cache and positions included: `[rows, width of query]`. */
export type Attend = (module: Module, layer: number, projections: { query: Value; key: Value; value: Value }) => Value

/** A language model: embeddings to logits. */
export interface LanguageModel {
  /** Values of `text_config.model_type` it stands for. */
  readonly modelTypes: readonly string[]
  /** Chat template of the checkpoints that use it, by its registered name. */
  readonly template: string
  /** @throws {StreamError} `CHECKPOINT_CONFIG_INVALID`, `CHECKPOINT_UNSUPPORTED`. */
  describe(config: CheckpointConfig): LanguageModelShape
  /**
   * Looks tokens' embeddings up.
   *
   * @param module At `language_model`, as everywhere here.
   * @param ids int64 `[batch, sequence]`.
   * @returns `[batch, sequence, width]`.
   */
  embed(module: Module, ids: Value, config: CheckpointConfig): Value
  /**
   * Builds all layers and the final norm.
   *
   * @param embeddings `[rows, width]`: the new tokens of all sequences.
   * @returns `[rows, width]`.
   */
  decode(module: Module, embeddings: Value, config: CheckpointConfig, attend: Attend): Value
  /** Builds the head: `[rows, width]` to logits `[rows, vocabularySize]`. */
  head(module: Module, hidden: Value, config: CheckpointConfig): Value
}
