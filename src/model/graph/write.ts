import { type Hash, createHash } from 'node:crypto'
import { type FileHandle, open, writeFile } from 'node:fs/promises'
import { basename } from 'node:path'

import { create, toBinary } from '@bufbuild/protobuf'
import {
  GraphProtoSchema,
  ModelProtoSchema,
  OperatorSetIdProtoSchema,
  StringStringEntryProtoSchema,
  type TensorProto,
  TensorProtoSchema,
  TensorProto_DataLocation as DataLocation,
  TensorProto_DataType as OnnxType,
  TensorShapeProtoSchema,
  TensorShapeProto_DimensionSchema,
  TypeProtoSchema,
  TypeProto_TensorSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from 'onnx-buf'

import { throwIfAborted } from '../../errors.js'
import { type Constant, type GraphContent, MICROSOFT, type Weight } from './builder.js'
import type { DataType, Dimension, Value, WeightData } from './value.js'

const IR_VERSION = 10n
const OPSET_VERSION = 21n

// Page-aligned, so that ONNX Runtime can map a tensor instead of copying it.
const ALIGNMENT = 4096

const ONNX_TYPES: Readonly<Record<DataType, OnnxType>> = {
  float32: OnnxType.FLOAT,
  float16: OnnxType.FLOAT16,
  int64: OnnxType.INT64,
  int32: OnnxType.INT32,
  uint8: OnnxType.UINT8,
  bool: OnnxType.BOOL,
}

/** Where the bytes of a weight lie in a bundle. */
export interface WeightLocation {
  /** Name of the data file, beside the graph. */
  readonly file: string
  readonly offset: number
}

/** A file that was written. */
export interface WrittenFile {
  readonly name: string
  readonly bytes: number
  /** Hexadecimal. */
  readonly sha256: string
}

/** How a graph is written. */
export interface WriteOptions {
  /** Weights already on disk, by key; they are referred to and not written again. New ones are added. */
  readonly locations: Map<string, WeightLocation>
  /** Called with the number of bytes of each piece of weights written. */
  readonly onBytes?: (bytes: number) => void
  readonly signal?: AbortSignal
}

/**
 * Writes a graph as `path` and its weights as `path.data`, streaming them: memory doesn't grow with
 * the model.
 *
 * @param path Ends in `.onnx`.
 * @returns The files written.
 * @throws {StreamError} `ABORTED`; whatever reading a weight throws.
 */
export async function writeGraph(content: GraphContent, path: string, options: WriteOptions): Promise<readonly WrittenFile[]> {
  const fresh = [...content.weights.values()].filter(({ data }) => !options.locations.has(data.key))
  const dataFiles = fresh.length > 0 ? [await writeWeights(fresh, `${path}.data`, options)] : []
  const graph = create(GraphProtoSchema, {
    name: content.name,
    node: content.nodes,
    input: content.inputs.map(valueInfo),
    output: content.outputs.map(valueInfo),
    initializer: [
      ...[...content.constants.values()].map(constantProto),
      ...[...content.weights.values()].map((weight) => weightProto(weight, locate(options.locations, weight.data.key))),
    ],
  })
  const model = create(ModelProtoSchema, {
    irVersion: IR_VERSION,
    producerName: 'tinyllava-stream',
    opsetImport: [
      create(OperatorSetIdProtoSchema, { domain: '', version: OPSET_VERSION }),
      create(OperatorSetIdProtoSchema, { domain: MICROSOFT, version: 1n }),
    ],
    graph,
  })
  const bytes = toBinary(ModelProtoSchema, model)
  await writeFile(path, bytes)
  return [{ name: basename(path), bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }, ...dataFiles]
}

async function writeWeights(weights: readonly Weight[], path: string, options: WriteOptions): Promise<WrittenFile> {
  const name = basename(path)
  const handle = await open(path, 'w')
  const hash = createHash('sha256')
  try {
    let offset = 0
    for (const { data } of weights) {
      const padding = (ALIGNMENT - (offset % ALIGNMENT)) % ALIGNMENT
      await append(handle, hash, new Uint8Array(padding))
      offset += padding
      options.locations.set(data.key, { file: name, offset })
      offset += await writeWeight(handle, hash, data, options)
    }
    await handle.sync()
    return { name, bytes: offset, sha256: hash.digest('hex') }
  } finally {
    await handle.close()
  }
}

async function writeWeight(handle: FileHandle, hash: Hash, data: WeightData, options: WriteOptions): Promise<number> {
  let written = 0
  for await (const piece of data.read()) {
    throwIfAborted(options.signal, 'Writing the model')
    await append(handle, hash, piece)
    written += piece.length
    options.onBytes?.(piece.length)
  }
  if (written !== data.bytes) throw new Error(`${data.key} gave ${written} bytes, ${data.bytes} were announced.`)
  return written
}

async function append(handle: FileHandle, hash: Hash, bytes: Uint8Array): Promise<void> {
  hash.update(bytes)
  await handle.appendFile(bytes)
}

function locate(locations: ReadonlyMap<string, WeightLocation>, key: string): WeightLocation {
  const location = locations.get(key)
  if (location === undefined) throw new Error(`${key} was not written.`)
  return location
}

function valueInfo({ name, dataType, shape }: Value): ValueInfoProto {
  const tensor = create(TypeProto_TensorSchema, {
    elemType: ONNX_TYPES[dataType],
    shape: create(TensorShapeProtoSchema, { dim: shape.map(dimension) }),
  })
  return create(ValueInfoProtoSchema, { name, type: create(TypeProtoSchema, { value: { case: 'tensorType', value: tensor } }) })
}

const dimension = (size: Dimension) =>
  create(TensorShapeProto_DimensionSchema, {
    value: typeof size === 'string' ? { case: 'dimParam', value: size } : { case: 'dimValue', value: BigInt(size) },
  })

function constantProto({ name, dataType, shape, data }: Constant): TensorProto {
  return create(TensorProtoSchema, { name, dataType: ONNX_TYPES[dataType], dims: shape.map(BigInt), rawData: data })
}

function weightProto({ name, dataType, shape, data }: Weight, { file, offset }: WeightLocation): TensorProto {
  const entry = (key: string, value: string | number) => create(StringStringEntryProtoSchema, { key, value: String(value) })
  return create(TensorProtoSchema, {
    name,
    dataType: ONNX_TYPES[dataType],
    dims: shape.map(BigInt),
    dataLocation: DataLocation.EXTERNAL,
    externalData: [entry('location', file), entry('offset', offset), entry('length', data.bytes)],
  })
}
