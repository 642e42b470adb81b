import type { ElementType } from '../checkpoint/tensor.js'
import type { WireError } from '../runtime/wire-error.js'
import type { BlockFormat } from './block-format.js'
import type { QuantisedRows } from './quantise-rows.js'

/** Whole rows of a matrix to be quantised. Their buffer is handed over. */
export interface QuantiseJob {
  /** Name of the tensor, for the error. */
  readonly tensor: string
  /** As they stand in the checkpoint. */
  readonly raw: Uint8Array<ArrayBuffer>
  readonly elementType: ElementType
  /** Length of a row. */
  readonly columns: number
  readonly format: BlockFormat
}

/** What a worker answers to each job, in the jobs' order. */
export type QuantiseReply = { readonly rows: QuantisedRows } | { readonly error: WireError }
