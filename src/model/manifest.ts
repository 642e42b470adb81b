import { z } from 'zod'

import { ACTIVATIONS, PRECISIONS, partPrecisionSchema } from './precision.js'

/** Name of the manifest's file in a bundle. */
export const MANIFEST_FILE = 'manifest.json'

/** Version of the bundle format this build reads and writes. A bundle of another version is refused. */
export const BUNDLE_VERSION = 4

/** Names of the graphs in a bundle, as the ecosystem names them. */
export const GRAPH_FILES = {
  preprocess: 'preprocess.onnx',
  visionEncoder: 'vision_encoder.onnx',
  connector: 'connector.onnx',
  embedTokens: 'embed_tokens.onnx',
  decoder: 'decoder_model_merged.onnx',
  appendingDecoder: 'decoder_appending.onnx',
  /** Of connectors that condense frames one by one in clips of a certain length: see `connector.framesAlone`. */
  frameConnector: 'frame_connector.onnx',
  joinFrames: 'join_frames.onnx',
  /** Where was looked: opened only to explain an answer. The first is there where `explaining.looks`. */
  explainingConnector: 'connector_explaining.onnx',
  explainingDecoder: 'decoder_explaining.onnx',
} as const

/** How the tower sees the 256 levels of a frame's pixels: the numbers that `vision_encoder` is told by. */
export const PIXEL_LEVELS = {
  /** Rescaled and normalised. */
  frame: 0,
  /** A video's frame whose largest value is 1 or less: normalised without being rescaled, as the reference does it. */
  nearBlackFrame: 1,
  /** Rescaled, normalised, and rounded to float16, as the reference does it with pictures that are no video's frame. */
  picture: 2,
} as const

const positive = z.int().min(1)
const level = z.int().min(0).max(255)
const sha256 = z.string().regex(/^[0-9a-f]{64}$/)

/**
 * What a bundle is: written by `convert`, read by the runtime.
 *
 * Graphs and their inputs and outputs (all float32 unless said otherwise; `features` as `visionTower.features` says):
 *
 * ```
 * preprocess            frame u8 [1, height, width, 3]            → pixels u8 [1, S, S, 3], near_black bool [1]
 * vision_encoder        pixels u8 [frames, S, S, 3],
 *                       levels i64 [frames]                       → features [frames, tokens, visionWidth]
 * connector             features [frames, tokens, visionWidth]    → visual_tokens [visual, width]
 * frame_connector       features [1, tokens, visionWidth]         → frame_tokens [queries, width]
 * join_frames           frame_tokens [visual, width]              → visual_tokens [visual, width]
 * embed_tokens          input_ids i64 [batch, sequence]           → inputs_embeds [batch, sequence, width]
 * decoder_model_merged  inputs_embeds [batch, sequence, width],
 *                       attention_mask i64 [batch, past + sequence],
 *                       num_logits_to_keep i64 [],
 *                       past_key_values.N.{key,value} [batch, keyValueHeads[N], past, headSize]
 *                                                                 → logits [batch, kept, vocabulary],
 *                                                                   present.N.{key,value}, past and new
 * decoder_appending     inputs_embeds [batch, sequence, width],
 *                       past_lengths i64 [batch],
 *                       num_logits_to_keep i64 [],
 *                       past_key_values.N.{key,value} [batch, keyValueHeads[N], room, headSize]
 *                                                                 → logits [batch, kept, vocabulary],
 *                                                                   present.N.{key,value}, the new rows alone
 * connector_explaining  as connector                              → visual_tokens [visual, width],
 *                                                                   attention [parts, queries, context]
 * decoder_explaining    as decoder_appending                      → the same, and
 *                                                                   attention [batch, sequence, room + sequence]
 * ```
 *
 * `levels` says how the tower sees a frame's 256 levels: see `PIXEL_LEVELS`.
 *
 * `frame_connector` and `join_frames` are there where `connector.framesAlone` is a number: together they are the connector
 * of clips with that many frames. Where it is `always`, `connector` is run on one frame at a time.
 *
 * The two decoders share one file of weights. The first is as the ecosystem has it, for devices that keep the cache
 * themselves; the second leaves it where the caller keeps it, for all others. The cache of the first is of its activations'
 * type (`precisions.languageModel.activations`), that of the second is always float32.
 */
export const manifestSchema = z.object({
  format: z.literal('tinyllava-stream-bundle'),
  version: z.literal(BUNDLE_VERSION),
  name: z.string().min(1),
  /** Version of tinyllava-stream that wrote it. */
  createdBy: z.string(),
  /** sha256 over the checkpoint's configuration and weights. */
  sourceDigest: sha256,
  /** Of the language model's weights; what envelopes show. */
  precision: z.enum(PRECISIONS),
  /** How each part's numbers are kept. */
  precisions: z.object({ visionTower: partPrecisionSchema, connector: partPrecisionSchema, languageModel: partPrecisionSchema }),
  attention: z.enum(['fused', 'primitive']),
  template: z.string(),
  visionTower: z.object({
    name: z.string(),
    imageSize: positive,
    /** Length of a picture's shortest edge before the square is cut out of its centre. Left out: all of it is squeezed into the square. */
    shortestEdge: positive.optional(),
    /** Red, green and blue of the square that a picture which isn't square is laid on. Left out: it is not laid on one. */
    padColour: z.tuple([level, level, level]).optional(),
    tokensPerFrame: positive,
    width: positive,
    /** Type that a frame's features are handed over and kept in. */
    features: z.enum(ACTIVATIONS),
  }),
  connector: z.object({
    name: z.string(),
    /** Frames of the clips in which each is connected by itself; `always`: of all clips. Left out: there are none such. */
    framesAlone: z.union([positive, z.literal('always')]).optional(),
  }),
  languageModel: z.object({
    name: z.string(),
    width: positive,
    /** Of each layer, first layer first. */
    keyValueHeads: z.array(positive).min(1),
    headSize: positive,
    vocabularySize: positive,
    eosTokenIds: z.array(z.int().min(0)),
    /** `tokenizer_model_max_length`: a prompt's end is cut there. Null: no limit of its own. */
    maxPromptTokens: positive.nullable(),
    /** Positions the graph's rotary tables cover: prompt and answer together. */
    maxPositions: positive,
  }),
  /** How to trace an answer back to places of the frames. */
  explaining: z.object({
    /** What a frame's tokens stand for: patches of the square picture, row by row, from number `first` on; below 0: none. */
    patches: z.object({ across: positive, first: z.int() }),
    /** Whether the connector's tokens come about by attention to the frames'; else each is made of one, in order. */
    looks: z.boolean(),
  }),
  /** Every other file of the bundle, with its size in bytes and sha256. */
  files: z.record(z.string(), z.object({ bytes: z.int().min(0), sha256 })),
})

/** What a bundle is: see `manifestSchema`. */
export type Manifest = z.infer<typeof manifestSchema>

/** Whether a clip of so many frames is connected frame by frame. */
export function isFrameByFrame({ connector: { framesAlone } }: Pick<Manifest, 'connector'>, frames: number): boolean {
  return framesAlone === 'always' || framesAlone === frames
}
