/** How a view lies in its storage, in elements. */
export interface Strided {
  readonly shape: readonly number[]
  /** From an element to its neighbour along each axis; 0 where all along it are one. */
  readonly strides: readonly number[]
}

/** Elements of the storage from a view's first element to its last. */
export function spanOf({ shape, strides }: Strided): number {
  if (shape.includes(0)) return 0
  return shape.reduce((span, size, axis) => span + (size - 1) * (strides[axis] ?? 0), 1)
}

/** Elements as they are: moving them needs their size alone. */
export type Words = Uint16Array | Uint32Array

/**
 * Puts elements of a view into a row, as `contiguous()` does.
 *
 * @param first Number of the first of them, counted row by row.
 * @param storage Begins with the view's first element.
 */
export function gather(into: Words, first: number, { storage, shape, strides }: Strided & { readonly storage: Words }): void {
  const [columns, step] = [shape.at(-1) ?? 1, strides.at(-1) ?? 1]
  for (let done = 0; done < into.length;) {
    const number = first + done
    const end = Math.min(done + columns - (number % columns), into.length)
    for (let from = placeOf(number, { shape, strides }); done < end; done += 1, from += step) into[done] = storage[from] ?? 0
  }
}

function placeOf(number: number, { shape, strides }: Strided): number {
  let [place, rest] = [0, number]
  for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
    const size = shape[axis] ?? 1
    place += (rest % size) * (strides[axis] ?? 0)
    rest = Math.floor(rest / size)
  }
  return place
}
