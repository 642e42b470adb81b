import type { Module } from '../../graph/module.js'
import { concat, expand, int64, reshape, shapeOf, transpose } from '../../graph/ops.js'
import type { Value } from '../../graph/value.js'

/** How a picture is cut into patches. */
export interface PatchGeometry {
  /** Side of a patch, in pixels. */
  readonly patch: number
  /** Width of a token. */
  readonly width: number
  /** Whether the convolution has a bias. */
  readonly bias: boolean
}

/** Patches along each side. What they don't cover is cut off at the right and the bottom. */
export const patchesAcross = (imageSize: number, patch: number): number => Math.floor(imageSize / patch)

/**
 * Cuts pictures into patches and embeds each, row by row.
 *
 * ```
 * pixels ─ Conv(stride = patch) ─ [frames, width, patches] ─ Transpose ──► [frames, patches, width]
 * ```
 *
 * @param module At the convolution.
 * @param pixels `[frames, 3, side, side]`.
 */
export function embedPatches(module: Module, pixels: Value, { patch, width, bias }: PatchGeometry): Value {
  const { graph } = module
  const across = patchesAcross(Number(pixels.shape[2]), patch)
  const inputs = [pixels, module.parameter('weight', [width, 3, patch, patch]), ...(bias ? [module.parameter('bias', [width])] : [])]
  const type = { dataType: pixels.dataType, shape: ['frames', width, across, across] }
  const patches = graph.node('Conv', inputs, type, { attributes: { kernel_shape: [patch, patch], strides: [patch, patch] } })
  return transpose(graph, reshape(graph, patches, [0, width, across ** 2], ['frames', width, across ** 2]), [0, 2, 1])
}

/**
 * Puts a class token in front of each picture's patches.
 *
 * @param token The token, `width` values in any shape.
 * @param patches `[frames, patches, width]`.
 * @returns `[frames, 1 + patches, width]`.
 */
export function withClassToken({ graph }: Module, token: Value, patches: Value): Value {
  const [frames = 'frames', count, width] = patches.shape
  const sizes = concat(graph, [shapeOf(graph, patches, 0, 1), int64(graph, [1, Number(width)])], 0, 3)
  const one = reshape(graph, token, [1, 1, Number(width)], [1, 1, Number(width)])
  const tokens = expand(graph, one, sizes, [frames, 1, Number(width)])
  return concat(graph, [tokens, patches], 1, Number(count) + 1)
}
