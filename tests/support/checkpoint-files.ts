import { closeSync, cpSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { referencePath } from './golden.js'

/** Entry of a safetensors header. */
export interface HeaderEntry {
  dtype: string
  shape: number[]
  data_offsets: [number, number]
}

/** Header of a safetensors file by tensor name. */
export type Header = Record<string, HeaderEntry>

/** A safetensors file in memory. */
export interface SafetensorsFile {
  header: Header
  data: Buffer
}

/** Lays a safetensors file out in bytes. */
export function safetensorsBytes(header: unknown, data: Uint8Array): Buffer {
  const text = Buffer.from(JSON.stringify(header))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(text.length))
  return Buffer.concat([length, text, data])
}

/** Reads a small safetensors file. */
export function readSafetensors(path: string): SafetensorsFile {
  const file = readFileSync(path)
  const headerBytes = Number(file.readBigUInt64LE())
  return { header: JSON.parse(file.subarray(8, 8 + headerBytes).toString('utf8')) as Header, data: file.subarray(8 + headerBytes) }
}

/** A temporary folder that removes itself when a `using` block or `dispose` ends it. */
export interface TemporaryFolder {
  readonly path: string
  file(name: string): string
  remove(): void
}

/** Makes an empty temporary folder. */
export function temporaryFolder(): TemporaryFolder {
  const path = mkdtempSync(join(tmpdir(), 'tinyllava-'))
  return {
    path,
    file: (name) => join(path, name),
    remove: () => {
      rmSync(path, { recursive: true, force: true })
    },
  }
}

/** Copies a reference checkpoint to `to`, so that a test can damage it. */
export function copyCheckpoint(caseName: string, to: string): void {
  cpSync(referencePath(`cases/${caseName}/checkpoint`), to, { recursive: true })
}

/** Changes `config.json` of a copied checkpoint. */
export function editConfig(checkpoint: string, edit: (config: Record<string, unknown>) => void): void {
  const path = join(checkpoint, 'config.json')
  const config = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>
  edit(config)
  writeFileSync(path, JSON.stringify(config))
}

/** Changes `model.safetensors` of a copied checkpoint. */
export function editWeights(checkpoint: string, edit: (file: SafetensorsFile) => void): void {
  const path = join(checkpoint, 'model.safetensors')
  const file = readSafetensors(path)
  edit(file)
  writeFileSync(path, safetensorsBytes(file.header, file.data))
}

/**
 * Widens the language model of a copied reference checkpoint until its weights take about `bytes`:
 * real names and shapes, arbitrary BF16 values, written in pieces.
 */
export function growCheckpoint(checkpoint: string, bytes: number): void {
  const { header, data } = readSafetensors(join(checkpoint, 'model.safetensors'))
  const width = header['language_model.model.embed_tokens.weight']?.shape[1] ?? 0
  const vocabulary = Math.ceil(bytes / (width * 2))
  editConfig(checkpoint, (config) => {
    const text = config.text_config as Record<string, unknown>
    text.vocab_size = vocabulary
  })
  const grown: Header = {}
  for (const [name, entry] of Object.entries(header)) {
    if (name !== 'language_model.model.embed_tokens.weight') grown[name] = entry
  }
  // The old embedding's bytes stay where they are, under a name the tower is known not to use.
  const old = header['language_model.model.embed_tokens.weight']
  if (old !== undefined) grown['vision_tower._vision_tower.vision_model.head.padding'] = old
  const size = vocabulary * width * 2
  grown['language_model.model.embed_tokens.weight'] = { dtype: 'BF16', shape: [vocabulary, width], data_offsets: [data.length, data.length + size] }
  const out = openSync(join(checkpoint, 'model.safetensors'), 'w')
  writeSync(out, safetensorsBytes(grown, data))
  const piece = Buffer.alloc(1 << 20, 0x3c)
  for (let written = 0; written < size; written += piece.length) writeSync(out, piece, 0, Math.min(piece.length, size - written))
  closeSync(out)
}
