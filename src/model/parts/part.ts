/**
 * The contracts of the interchangeable parts of a model.
 *
 * Each part is one file, registered by name in a typed table. It reads its own section of the
 * configuration and builds its own piece of a graph; it knows nothing of the other parts.
 */
import type { CheckpointConfig } from '../checkpoint/config.js'
import type { ImageProcessorConfig } from '../checkpoint/image-processor.js'
import type { Module } from '../graph/module.js'
import type { Value } from '../graph/value.js'

/** How a tower wants its pixels. */
export interface PixelRules {
  /** Side of the square input, in pixels. */
  readonly imageSize: number
  /**
   * Length of a picture's shortest edge after resizing, in pixels, whose centre is then cut out; a picture that is then
   * smaller than the square lies on black. Left out: all of it is squeezed into the square.
   */
  readonly shortestEdge?: number
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

/** What a checkpoint says of its tower beside `config.json`. */
export interface TowerSource {
  /** `preprocessor_config.json`; empty where there is none. */
  readonly imageProcessor: ImageProcessorConfig
  /** Shape of one of the tower's tensors, by its name below `vision_tower._vision_tower`; undefined: there is none. */
  shapeOf(name: string): readonly number[] | undefined
}

/** A vision tower: pixels to features. */
export interface VisionTower {
  /** Values of `vision_config.model_type` it stands for. */
  readonly modelTypes: readonly string[]
  /** @throws {StreamError} `CHECKPOINT_CONFIG_INVALID`, `CHECKPOINT_UNSUPPORTED`. */
  describe(config: CheckpointConfig, source: TowerSource): VisionTowerShape
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
   * Values of `connector_type` it stands for beside the name it is registered under; must match the whole value.
   * `build` finds the value in its configuration.
   */
  readonly matches?: RegExp
  /**
   * @param module At `connector`.
   * @param features `[frames, tokens, visionWidth]`.
   * @param width Width of the language model.
   * @returns `[visual, width]`.
   * @throws {StreamError} `CHECKPOINT_CONFIG_INVALID`.
   */
  build(module: Module, features: Value, config: CheckpointConfig, width: number): Value
  /**
   * Where frames can be connected one by one: then a frame is connected once in its life, whatever windows it is in.
   *
   * `always`: a clip's tokens are those that `build` makes of each frame, in order. An object: only in clips of a certain
   * length, with a step for all frames behind it.
   *
   * @default never
   */
  readonly alone?: 'always' | FramesAlone
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

/** The heads of one layer's attention. */
export interface LayerHeads {
  readonly heads: number
  /** Heads of keys and values, each for `heads / keyValueHeads` heads of queries. */
  readonly keyValueHeads: number
}

/** How queries and keys are rotated by position. */
export interface RotaryShape {
  /** Values of each head that are rotated; even. */
  readonly rotated: number
  /** Base of the frequencies, `rope_theta`. */
  readonly theta: number
  /** What positions are divided by; 1 for most. */
  readonly factor: number
}

/** What a language model of one checkpoint is. */
export interface LanguageModelShape {
  readonly width: number
  /** Each layer's heads, first layer first. */
  readonly layers: readonly LayerHeads[]
  readonly headSize: number
  readonly vocabularySize: number
  readonly rotary: RotaryShape
  /** Positions the model was made for. */
  readonly maxPositions: number
  /** Whether positions beyond `maxPositions` would need other rotations than those before. */
  readonly endsAtMaxPositions: boolean
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
