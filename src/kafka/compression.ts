import { promisify } from 'node:util'
import * as zlib from 'node:zlib'

import kafkajs from 'kafkajs'

import type { KafkaCompression } from '../delivery.js'
import { StreamError } from '../errors.js'

const { CompressionCodecs, CompressionTypes } = kafkajs

/** Both ways of one compression. */
export interface Codec {
  compress(bytes: Buffer): Promise<Uint8Array>
  decompress(bytes: Buffer): Promise<Uint8Array>
}

/** As the client wants one. */
interface ClientCodec {
  compress(encoder: { readonly buffer: Buffer }): Promise<Buffer>
  decompress(bytes: Buffer): Promise<Buffer>
}

/** What the client calls a compression. */
export function compressionType(name: KafkaCompression): kafkajs.CompressionTypes {
  return TYPES[name]
}

const TYPES: Readonly<Record<KafkaCompression, kafkajs.CompressionTypes>> = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
  lz4: CompressionTypes.LZ4,
  zstd: CompressionTypes.ZSTD,
}

/** Teaches the client what it doesn't bring itself (gzip it does). Nothing is loaded before it is used. */
export function registerCodecs(): void {
  CompressionCodecs[CompressionTypes.Snappy] = () => codecs.snappy
  CompressionCodecs[CompressionTypes.LZ4] = () => codecs.lz4
  CompressionCodecs[CompressionTypes.ZSTD] = () => codecs.zstd
}

const codecs = { snappy: lazyCodec('snappy', snappy), lz4: lazyCodec('lz4', lz4), zstd: lazyCodec('zstd', zstd) }

/**
 * A codec that is loaded at its first use, once: WebAssembly that is loaded again spoils what is under way.
 *
 * Its calls reject with a cause of `KAFKA_CODEC_MISSING` where it can't be loaded on this machine.
 */
export function lazyCodec(name: KafkaCompression, load: () => Promise<Codec>): ClientCodec {
  let codec: Promise<Codec> | undefined
  const loaded = (): Promise<Codec> => {
    codec ??= load().catch((cause: unknown) => {
      const message = `Records are compressed with ${name}, whose package can't be loaded on this machine. Use another compression.`
      throw permanent(new StreamError('KAFKA_CODEC_MISSING', message, { cause }))
    })
    return codec
  }
  return {
    compress: async ({ buffer }) => toBuffer(await (await loaded()).compress(buffer)),
    decompress: async (bytes) => toBuffer(await (await loaded()).decompress(bytes)),
  }
}

/** The client tries others for a while; of those it doesn't, it passes only the cause on. */
function permanent(cause: StreamError): Error {
  return Object.assign(new Error(cause.message, { cause }), { retriable: false })
}

async function lz4(): Promise<Codec> {
  const { compressFrame, decompressFrame } = await import('lz4-napi')
  return { compress: (bytes) => compressFrame(bytes), decompress: decompressFrame }
}

async function snappy(): Promise<Codec> {
  const { compress, uncompress } = await import('snappy')
  return {
    // One block without frames: every reader takes it.
    compress: (bytes) => compress(bytes),
    decompress: async (bytes) => {
      const blocks = await Promise.all(snappyBlocks(bytes).map((block) => uncompress(block, { asBuffer: true })))
      return Buffer.concat(blocks.map((block) => Buffer.from(block)))
    },
  }
}

/** snappy-java's frames, as Java's clients and brokers write them: magic, two versions, then blocks behind their lengths. */
const SNAPPY_JAVA = Buffer.from('\x82SNAPPY\0', 'latin1')
const SNAPPY_JAVA_HEADER_BYTES = 16

function snappyBlocks(bytes: Buffer): readonly Buffer[] {
  if (!bytes.subarray(0, SNAPPY_JAVA.length).equals(SNAPPY_JAVA)) return [bytes]
  const blocks: Buffer[] = []
  for (let place = SNAPPY_JAVA_HEADER_BYTES; place < bytes.length; ) {
    const begin = place + 4
    place = begin + bytes.readUInt32BE(place)
    blocks.push(bytes.subarray(begin, place))
  }
  return blocks
}

/** What Node brings from 22.15 on; the types are those of Node 20. */
interface NativeZstd {
  readonly zstdCompress?: (bytes: Uint8Array, callback: (error: Error | null, result: Buffer) => void) => void
  readonly zstdDecompress?: (bytes: Uint8Array, callback: (error: Error | null, result: Buffer) => void) => void
}

async function zstd(): Promise<Codec> {
  const { zstdCompress, zstdDecompress } = zlib as NativeZstd
  if (zstdCompress !== undefined && zstdDecompress !== undefined) {
    return { compress: promisify(zstdCompress), decompress: promisify(zstdDecompress) }
  }
  // The first reads only frames that say how long they are, and Java's don't; the second only reads.
  const [{ init, compress }, { decompress }] = await Promise.all([import('@bokuweb/zstd-wasm'), import('fzstd')])
  await init()
  return {
    compress: (bytes) => Promise.resolve(compress(bytes)),
    decompress: (bytes) => Promise.resolve(decompress(bytes)),
  }
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
