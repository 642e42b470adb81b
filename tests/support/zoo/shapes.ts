/** A tensor of a checkpoint: its name and its shape. */
export type TensorShape = readonly [name: string, shape: readonly number[]]

/** Weight `[features, width]` of a linear layer, and its bias where it has one. */
export function dense(name: string, [features, width]: readonly [number, number], { bias = true } = {}): readonly TensorShape[] {
  return [[`${name}.weight`, [features, width]], ...(bias ? [[`${name}.bias`, [features]] as const] : [])]
}

/** Weight of a norm, and its bias where it has one. */
export function norm(name: string, width: number, { bias = true } = {}): readonly TensorShape[] {
  return [[`${name}.weight`, [width]], ...(bias ? [[`${name}.bias`, [width]] as const] : [])]
}

/** Tensors below `prefix.`. */
export const below = (prefix: string, tensors: readonly TensorShape[]): readonly TensorShape[] =>
  tensors.map(([name, shape]) => [`${prefix}.${name}`, shape])

/** Tensors of `name.0`, `name.1`, … */
export const stack = (name: string, count: number, layer: (index: number) => readonly TensorShape[]): readonly TensorShape[] =>
  Array.from({ length: count }, (_, index) => below(`${name}.${index}`, layer(index))).flat()

/** Values of all tensors together. */
export const countValues = (tensors: readonly TensorShape[]): number =>
  tensors.reduce((sum, [, shape]) => sum + shape.reduce((product, size) => product * size, 1), 0)
