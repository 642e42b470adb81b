/** Element types a weight may have, with their size in bytes. */
export const ELEMENT_BYTES = { F32: 4, F16: 2, BF16: 2 } as const

/** Element type of a weight. */
export type ElementType = keyof typeof ELEMENT_BYTES

/** All element types a file may hold: those of weights, and those of buffers, which are never read. */
export const STORED_BYTES = {
  ...ELEMENT_BYTES,
  F64: 8, I64: 8, U64: 8, I32: 4, U32: 4, I16: 2, U16: 2, I8: 1, U8: 1, BOOL: 1, F8_E4M3: 1, F8_E5M2: 1,
} as const

/** Element type of a tensor in a file. */
export type StoredType = keyof typeof STORED_BYTES

/** Whether a weight may have this type. */
export const isElementType = (type: StoredType): type is ElementType => Object.hasOwn(ELEMENT_BYTES, type)

/** Where one tensor lies in a file. */
export interface StoredTensor {
  readonly name: string
  readonly elementType: StoredType
  readonly shape: readonly number[]
  readonly file: string
  /** Bytes from the start of the file. */
  readonly offset: number
  /** Of all its elements; with strides fewer or more may lie in the file. */
  readonly bytes: number
  /** Elements from one to its neighbour along each axis. Left out: row by row without gaps. */
  readonly strides?: readonly number[]
}

/** Reads one tensor's bytes, from any place on. */
export interface TensorReader {
  /**
   * Fills `into` with the bytes from `position` on, which is the beginning of an element.
   *
   * @throws {StreamError} `CHECKPOINT_WEIGHTS_INVALID`, `CHECKPOINT_UNSUPPORTED`, naming the tensor.
   */
  read(into: Uint8Array, position: number): Promise<void>
  close(): Promise<void>
}

/** Where a tensor stands, in the words of whoever looks into the file. */
export interface TensorOrigin {
  /** Its name in the file, which may differ from the one parts know it by. */
  readonly name: string
  readonly file: string
}

/** One tensor of a checkpoint, of whatever element type. */
export interface CheckpointTensor {
  /** The name that parts know it by: TinyLLaVA Factory's. */
  readonly name: string
  /** For messages. */
  readonly origin: TensorOrigin
  readonly elementType: StoredType
  readonly shape: readonly number[]
  readonly bytes: number
  /** Where its numbers come from: two tensors of one place are one, under two names. */
  readonly place: string
  open(): Promise<TensorReader>
}

/** A tensor that can be read as a weight. */
export interface TensorEntry extends Omit<CheckpointTensor, 'place'> {
  readonly elementType: ElementType
}

/** Number of elements of a shape. */
export const countElements = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1)

/** A tensor for messages, e.g. `model.norm.weight of /models/checkpoint/model.safetensors`. */
export const showOrigin = ({ origin: { name, file } }: { readonly origin: TensorOrigin }): string => `${name} of ${file}`

/** A shape for messages, e.g. `[2, 3]`. */
export const showShape = (shape: readonly number[]): string => `[${shape.join(', ')}]`
