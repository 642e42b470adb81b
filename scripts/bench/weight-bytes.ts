import { readFile } from 'node:fs/promises'

import { fromBinary } from '@bufbuild/protobuf'
import { type GraphProto, ModelProtoSchema, type TensorProto } from 'onnx-buf'

// What reads all of a weight in each run; look-ups take a row or two.
const READS_ALL = /^(MatMul|Gemm|MatMulNBits|MatMulIntegerToFloat|DynamicQuantizeMatMul)$/

/**
 * Bytes of weights that one run of a graph reads: what its matrix products hold in the data file, scales included.
 *
 * @param path Of the `.onnx` file.
 */
export async function weightBytesPerRun(path: string): Promise<number> {
  const { graph } = fromBinary(ModelProtoSchema, await readFile(path))
  return graph === undefined ? 0 : bytesRead(graph)
}

function bytesRead({ node, initializer }: GraphProto): number {
  const read = new Set(node.filter(({ opType }) => READS_ALL.test(opType)).flatMap(({ input }) => input))
  return initializer.filter(({ name }) => read.has(name)).reduce((sum, tensor) => sum + externalBytes(tensor), 0)
}

function externalBytes({ externalData }: TensorProto): number {
  return Number(externalData.find(({ key }) => key === 'length')?.value ?? 0)
}
