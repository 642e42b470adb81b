import { expect, test } from 'vitest'

import type { CheckpointTensor, StoredType } from '../../../src/model/checkpoint/tensor.js'
import { type CheckpointTerms, checkpointWeights } from '../../../src/model/checkpoint/weights.js'

/** A tensor that is only counted, never read. */
function unread(name: string, elementType: StoredType = 'F32', place = name): CheckpointTensor {
  return { name, origin: { name: `own.${name}`, file: '/here/file' }, elementType, shape: [2], bytes: 8, place, open: () => Promise.reject(new Error('It is not read.')) }
}

const terms: CheckpointTerms = { directory: '/here', ownName: (name) => ({ name: `own.${name}`, folder: 'part' }), fields: 'its_type' }
const open = (...tensors: readonly CheckpointTensor[]) => checkpointWeights(tensors, terms)

const coded = (code: string, message: RegExp): unknown => expect.objectContaining({ code, message: expect.stringMatching(message) as unknown })

test('all that was taken and nothing else is a whole checkpoint', () => {
  const weights = open(unread('a.b.weight'))
  expect(weights.scope('a').scope('b').take('weight', [2])).toMatchObject({ name: 'a.b.weight', elementType: 'F32' })
  weights.check()
})

test('a tied weight under a second name is taken with the first', () => {
  const weights = open(unread('embed', 'F32', 'file:64'), unread('head', 'F32', 'file:64'), unread('other', 'F32', 'file:96'))
  weights.take('embed', [2])
  expect(() => { weights.check() }).toThrow(coded('CHECKPOINT_TENSOR_UNUSED', /asks for: own\.other of file\. Check its_type in config\.json/))
  weights.take('other', [2])
  weights.check()
})

test('integers nobody takes are buffers; numbers nobody takes are weights too many', () => {
  open(unread('position_ids', 'I64'), unread('mask', 'BOOL'), unread('bytes', 'U8')).check()
  for (const type of ['F32', 'F16', 'BF16', 'F64', 'F8_E4M3'] as const) {
    expect(() => { open(unread('scale', type)).check() }, type).toThrow(coded('CHECKPOINT_TENSOR_UNUSED', /scale/))
  }
})

test('a weight of a type that is not read is refused when it is taken, not before', () => {
  const weights = open(unread('quantised', 'I8'))
  expect(() => weights.take('quantised', [2])).toThrow(coded('CHECKPOINT_WEIGHTS_INVALID', /own\.quantised of \/here\/file is kept as I8; only F32, F16, BF16/))
})

test('a weight of another shape, one that is missing, one that is there twice', () => {
  expect(() => open(unread('a')).take('a', [3])).toThrow(coded('CHECKPOINT_WEIGHTS_INVALID', /own\.a of \/here\/file has shape \[2\], config\.json asks for \[3\].*its_type/))
  const weights = open()
  weights.take('a', [3])
  expect(() => { weights.check() }).toThrow(coded('CHECKPOINT_TENSOR_MISSING', /lacks own\.a \[3\] of part\/\. Check its_type in config\.json/))
  expect(() => open(unread('a'), unread('a'))).toThrow(coded('CHECKPOINT_WEIGHTS_INVALID', /own\.a of \/here\/file is also own\.a of \/here\/file/))
})
