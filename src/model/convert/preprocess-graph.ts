import { GraphBuilder, float } from '../graph/builder.js'
import { cast, concat, divide, int64, isLessOrEqual, multiply, pad, reduceMax, reduceMin, shapeOf, subtract } from '../graph/ops.js'
import type { Value } from '../graph/value.js'
import type { PixelRules } from '../parts/part.js'

const CHANNELS = 3

/**
 * The graph that makes a frame of any size the tower's size, as Pillow's bicubic does it: antialiased,
 * a = -0.5, rows first, then columns, each rounded to uint8 (transformers' image processors resize
 * through Pillow; Pillow 13 takes the columns of tall pictures first and differs by 1 there).
 *
 * It also tells whether the frame is nearly black, which only the full-size pixels can say: the
 * reference doesn't rescale a frame whose largest value is 1 or less (`data/video_preprocess.py`).
 *
 * ```
 * frame u8 [1, height, width, 3] ─┬─ Resize ─ (crop) ──► pixels u8 [1, size, size, 3]
 *                                 └─ ReduceMax ─ ≤ 1 ──► near_black bool [1]
 * ```
 *
 * Cropped are only pictures whose shortest edge is resized (`PixelRules.shortestEdge`).
 */
export function preprocessGraph({ imageSize, shortestEdge }: Pick<PixelRules, 'imageSize' | 'shortestEdge'>): GraphBuilder {
  const graph = GraphBuilder.empty('preprocess')
  const frame = graph.input('frame', 'uint8', [1, 'height', 'width', CHANNELS])
  graph.output('pixels', shortestEdge === undefined ? squeezed(graph, frame, imageSize) : cropped(graph, frame, { imageSize, shortestEdge }))
  const largest = cast(graph, reduceMax(graph, frame, [1, 2, 3]), 'int32')
  graph.output('near_black', isLessOrEqual(graph, largest, cast(graph, int64(graph, 1), 'int32')))
  return graph
}

/** All of the frame as a square. */
function squeezed(graph: GraphBuilder, frame: Value, imageSize: number): Value {
  const shape = [1, imageSize, imageSize, CHANNELS]
  return resize(graph, frame, int64(graph, shape), shape)
}

/**
 * The shortest edge made `shortestEdge` long and the other in proportion, rounded down; then the centre's square, on
 * black where the frame is smaller (transformers 4.40.1's `get_resize_output_image_size` and `center_crop`).
 *
 * ```
 * height, width ─ · shortestEdge / min ─ sizes ─┐
 * frame ────────────────────────────────────────┴ Resize ─ Pad(floor((square - sizes) / 2), the rest) ──► square
 * ```
 *
 * A negative padding cuts off.
 */
function cropped(graph: GraphBuilder, frame: Value, { imageSize, shortestEdge }: Required<Pick<PixelRules, 'imageSize' | 'shortestEdge'>>): Value {
  const sides = shapeOf(graph, frame, 1, 3)
  const sizes = divide(graph, multiply(graph, sides, int64(graph, shortestEdge)), reduceMin(graph, sides, [0]))
  const target = concat(graph, [int64(graph, [1]), sizes, int64(graph, [CHANNELS])], 0, 4)
  const resized = resize(graph, frame, target, [1, 'newHeight', 'newWidth', CHANNELS])
  return centre(graph, resized, sizes, imageSize)
}

/** The square in the middle of a frame of the given height and width. */
function centre(graph: GraphBuilder, frame: Value, sizes: Value, imageSize: number): Value {
  const surplus = subtract(graph, sizes, int64(graph, imageSize))
  const before = divide(graph, surplus, int64(graph, 2))
  const cutOff = concat(graph, [before, subtract(graph, surplus, before)], 0, 4)
  return pad(graph, frame, subtract(graph, int64(graph, 0), cutOff), { axes: [1, 2], shape: [1, imageSize, imageSize, CHANNELS] })
}

/** Pillow's bicubic. @param sizes int64 `[4]`. */
function resize(graph: GraphBuilder, frame: Value, sizes: Value, shape: Value['shape']): Value {
  return graph.node('Resize', [frame, undefined, undefined, sizes], { dataType: 'uint8', shape }, {
    attributes: {
      mode: 'cubic',
      antialias: 1,
      cubic_coeff_a: float(-0.5),
      exclude_outside: 1,
      coordinate_transformation_mode: 'half_pixel',
    },
  })
}
