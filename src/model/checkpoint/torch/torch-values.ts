import { z } from 'zod'

import { StreamError } from '../../../errors.js'
import type { StoredType } from '../tensor.js'
import type { PickleRules } from './pickle.js'

/** A storage: numbers kept outside the pickle, in the record `data/<key>`. */
export class TorchStorage {
  readonly type: StoredType
  readonly key: string
  readonly elements: number

  constructor(type: StoredType, key: string, elements: number) {
    this.type = type
    this.key = key
    this.elements = elements
  }
}

/** A tensor: a view of a storage, in elements. */
export class TorchTensor {
  readonly storage: TorchStorage
  readonly offset: number
  readonly shape: readonly number[]
  readonly strides: readonly number[]

  constructor(storage: TorchStorage, offset: number, shape: readonly number[], strides: readonly number[]) {
    this.storage = storage
    this.offset = offset
    this.shape = shape
    this.strides = strides
  }
}

/** Names of PyTorch's storage classes, which a pickle tells element types by. */
const STORAGES: Readonly<Record<string, StoredType>> = {
  FloatStorage: 'F32',
  HalfStorage: 'F16',
  BFloat16Storage: 'BF16',
  DoubleStorage: 'F64',
  LongStorage: 'I64',
  IntStorage: 'I32',
  ShortStorage: 'I16',
  CharStorage: 'I8',
  ByteStorage: 'U8',
  BoolStorage: 'BOOL',
}

/** A storage class, as a value that is passed on. */
class StorageClass {
  readonly type: StoredType

  constructor(type: StoredType) {
    this.type = type
  }
}

const size = z.int().min(0)
const storageId = z.tuple([z.literal('storage'), z.instanceof(StorageClass), z.string(), z.string(), size])
// What follows is for training: whether it needs a gradient, and hooks.
const tensorArguments = z
  .tuple([z.instanceof(TorchStorage), size, z.array(size), z.array(size)])
  .rest(z.unknown())
  .refine(([, , shape, strides]) => shape.length === strides.length)
const parameterArguments = z.tuple([z.instanceof(TorchTensor)]).rest(z.unknown())

function rebuildTensor(...args: readonly unknown[]): TorchTensor {
  const [storage, offset, shape, strides] = parse(tensorArguments, args, 'a tensor')
  return new TorchTensor(storage, offset, shape, strides)
}

function rebuildParameter(...args: readonly unknown[]): TorchTensor {
  return parse(parameterArguments, args, 'a parameter')[0]
}

function readStorage(id: unknown): TorchStorage {
  const [, { type }, key, , elements] = parse(storageId, id, 'a storage')
  return new TorchStorage(type, key, elements)
}

// PyTorch loads an OrderedDict empty, and fills it afterwards.
function orderedDict(...args: readonly unknown[]): Map<unknown, unknown> {
  if (args.length > 0) throw new Error('an OrderedDict is made from something')
  return new Map()
}

function parse<Schema extends z.ZodType>(schema: Schema, value: unknown, what: string): z.infer<Schema> {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw new Error(`${what} is made from other values than PyTorch writes`, { cause: parsed.error })
}

/** All a pickled state dict may name: dictionaries, tensors, parameters and the types of storages. */
export const TORCH_RULES: PickleRules = {
  globals: new Map<string, unknown>([
    ['collections.OrderedDict', orderedDict],
    ['torch._utils._rebuild_tensor_v2', rebuildTensor],
    ['torch._utils._rebuild_parameter', rebuildParameter],
    ...Object.entries(STORAGES).map(([name, type]) => [`torch.${name}`, new StorageClass(type)] as const),
  ]),
  persistent: readStorage,
}

/**
 * The tensors of a pickled state dict by name.
 *
 * @throws {StreamError} `CHECKPOINT_WEIGHTS_INVALID` where it is something else.
 */
export function stateDict(value: unknown, file: string): ReadonlyMap<string, TorchTensor> {
  if (!(value instanceof Map)) throw notStateDict(file, 'no dictionary')
  const tensors = new Map<string, TorchTensor>()
  for (const [name, tensor] of value as Map<unknown, unknown>) {
    if (typeof name !== 'string' || !(tensor instanceof TorchTensor)) throw notStateDict(file, `under ${String(name)} no tensor`)
    tensors.set(name, tensor)
  }
  return tensors
}

function notStateDict(file: string, what: string): StreamError {
  const message = `${file} holds ${what}; weights are a dictionary of tensors by name. Save the model's state_dict().`
  return new StreamError('CHECKPOINT_WEIGHTS_INVALID', message)
}
