import { BinaryWriter } from '@bufbuild/protobuf/wire'

/** A piece of a made-up model: text, score, number of its kind (1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte). */
export type MadePiece = readonly [text: string, score?: number, kind?: number]

/** A made-up model's fields. */
export interface MadeModel {
  readonly pieces?: readonly MadePiece[]
  /** 1 unigram, 2 BPE. */
  readonly algorithm?: number
  readonly hasByteFallback?: boolean
  readonly denormaliser?: Uint8Array
}

/** The bytes of a SentencePiece model file. */
export function modelBytes({ pieces = [['<unk>', 0, 2]], algorithm = 2, hasByteFallback = false, denormaliser }: MadeModel = {}): Uint8Array {
  const writer = new BinaryWriter()
  for (const [text, score = 0, kind = 1] of pieces) {
    writer.uint32(0x0a).fork().uint32(0x0a).string(text).uint32(0x15).float(score).uint32(0x18).int32(kind).join()
  }
  writer.uint32(0x12).fork().uint32(0x18).int32(algorithm).uint32(0x118).bool(hasByteFallback).join()
  if (denormaliser !== undefined) writer.uint32(0x2a).fork().uint32(0x12).bytes(denormaliser).join()
  return writer.finish()
}
