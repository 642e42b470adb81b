import { GraphBuilder, float } from '../graph/builder.js'
import { cast, int64, isLessOrEqual, reduceMax } from '../graph/ops.js'

/**
 * The graph that makes a frame of any size the tower's size, as Pillow's bicubic does it: antialiased,
 * a = -0.5, rows first, then columns, each rounded to uint8 (transformers' image processors resize
 * through Pillow; Pillow 13 takes the columns of tall pictures first and differs by 1 there).
 *
 * It also tells whether the frame is nearly black, which only the full-size pixels can say: the
 * reference doesn't rescale a frame whose largest value is 1 or less (`data/video_preprocess.py`).
 *
 * ```
 * frame u8 [1, height, width, 3] ─┬─ Resize ────────────► pixels u8 [1, size, size, 3]
 *                                 └─ ReduceMax ─ ≤ 1 ───► near_black bool [1]
 * ```
 */
export function preprocessGraph(imageSize: number): GraphBuilder {
  const graph = GraphBuilder.empty('preprocess')
  const frame = graph.input('frame', 'uint8', [1, 'height', 'width', 3])
  const shape = [1, imageSize, imageSize, 3]
  const pixels = graph.node('Resize', [frame, undefined, undefined, int64(graph, shape)], { dataType: 'uint8', shape }, {
    attributes: {
      mode: 'cubic',
      antialias: 1,
      cubic_coeff_a: float(-0.5),
      exclude_outside: 1,
      coordinate_transformation_mode: 'half_pixel',
    },
  })
  const largest = cast(graph, reduceMax(graph, frame, [1, 2, 3]), 'int32')
  graph.output('pixels', pixels)
  graph.output('near_black', isLessOrEqual(graph, largest, cast(graph, int64(graph, 1), 'int32')))
  return graph
}
