import { StreamError } from '../../../errors.js'
import { narrowToFloat16, widenFloat16 } from '../../float16.js'
import {
  type CheckpointTensor, ELEMENT_BYTES, type TensorReader, countElements, isElementType, showOrigin,
} from '../tensor.js'
import { widen } from '../widen.js'
import type { LowRank } from './adapter.js'
import { addRows } from './low-rank-product.js'

const HALF_BYTES = ELEMENT_BYTES.F16

/**
 * A base model's tensor as the reference has it once an adapter was merged: in float16, rounded wherever peft rounds.
 *
 * ```
 * base ─ f16 ───────────────────────────────────┐
 * down ─ f16 ─┐                                  + ─ f16 ──► what is read
 * up ─── f16 ─┴ up · down (f32) · scale ─ f16 ───┘
 * ```
 *
 * The reference turns the whole model to float16 first and merges then, so tensors that the adapter leaves alone are
 * rounded, too. Source: TinyLLaVA Factory `model/load_model.py`; peft 0.10 `tuners/lora/layer.py` (`get_delta_weight`, `merge`).
 *
 * `down` is held while a tensor is read; `up` and the base are read piece by piece.
 *
 * @param product What the adapter adds, if anything.
 */
export function mergedTensor(base: CheckpointTensor, product: LowRank | undefined): CheckpointTensor {
  // Buffers are passed on as they are, and never read.
  if (!isElementType(base.elementType)) return base
  const { name, origin, shape, place } = base
  return {
    name,
    origin,
    shape,
    place: product === undefined ? place : `${place} + ${product.up.place}`,
    elementType: 'F16',
    bytes: countElements(shape) * HALF_BYTES,
    open: () => openMerged(base, product),
  }
}

async function openMerged(base: CheckpointTensor, product: LowRank | undefined): Promise<TensorReader> {
  const added = product === undefined ? undefined : await openProduct(product)
  const weights = await openHalf(base).catch(async (error: unknown) => {
    await added?.close()
    throw error
  })
  return {
    async read(into, position) {
      const first = position / HALF_BYTES
      const values = await weights.read(first, into.length / HALF_BYTES)
      await added?.addTo(values, first)
      const bits = new Uint16Array(into.buffer, into.byteOffset, values.length)
      narrowToFloat16(values, bits)
      checkFinite(bits, base)
    },
    async close() {
      await Promise.all([weights.close(), added?.close()])
    },
  }
}

async function openProduct({ up, down, scale }: LowRank) {
  const [rank = 0, columns = 0] = down.shape
  // First what is read to its end: nothing is open where it fails.
  const held = await readWhole(down)
  const rows = await openHalf(up)
  return {
    async addTo(values: Float32Array, first: number): Promise<void> {
      const [firstRow, endRow] = [Math.floor(first / columns), Math.ceil((first + values.length) / columns)]
      const factors = await rows.read(firstRow * rank, (endRow - firstRow) * rank)
      addRows(values, { up: factors, down: held, rank, columns, scale, skipped: first - firstRow * columns })
    },
    close: () => rows.close(),
  }
}

async function readWhole(tensor: CheckpointTensor): Promise<Float32Array> {
  const reader = await openHalf(tensor)
  try {
    return await reader.read(0, countElements(tensor.shape))
  } finally {
    await reader.close()
  }
}

/** Reads elements of a tensor, rounded to float16, as float32. */
async function openHalf(tensor: CheckpointTensor) {
  const { elementType } = tensor
  if (!isElementType(elementType)) {
    const message = `Tensor ${showOrigin(tensor)} is kept as ${elementType}: an adapter of a quantised base is not supported.`
    throw new StreamError('CHECKPOINT_UNSUPPORTED', message)
  }
  const reader = await tensor.open()
  return {
    async read(first: number, count: number): Promise<Float32Array> {
      const raw = new Uint8Array(count * ELEMENT_BYTES[elementType])
      await reader.read(raw, first * ELEMENT_BYTES[elementType])
      const values = new Float32Array(count)
      widen(raw, elementType, values)
      if (elementType !== 'F16') roundToHalf(values, tensor)
      return values
    },
    close: () => reader.close(),
  }
}

function roundToHalf(values: Float32Array, tensor: CheckpointTensor): void {
  const bits = new Uint16Array(values.length)
  narrowToFloat16(values, bits)
  checkFinite(bits, tensor)
  widenFloat16(bits, values)
}

const INFINITY = 0x7c00

function checkFinite(bits: Uint16Array, tensor: CheckpointTensor): void {
  if (!bits.some((pattern) => (pattern & INFINITY) === INFINITY)) return
  throw new StreamError(
    'CHECKPOINT_UNSUPPORTED',
    `Tensor ${showOrigin(tensor)} holds a value above 65504, which float16 has not. An adapter is merged in float16, as the reference does it.`,
  )
}
