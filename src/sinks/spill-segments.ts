import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'

/** A file of waiting lines. */
export interface Segment {
  /** Its place among all segments there ever were. */
  readonly number: number
  readonly path: string
}

/** The segment of this number. */
export function segmentOf(folder: string, number: number): Segment {
  return { number, path: join(folder, `${String(number).padStart(12, '0')}.jsonl`) }
}

/** The segments in a folder, the oldest first. */
export async function findSegments(folder: string): Promise<readonly Segment[]> {
  const numbers = (await readdir(folder)).flatMap((name) => {
    const [, digits] = /^(\d{12})\.jsonl$/.exec(name) ?? []
    return digits === undefined ? [] : [Number(digits)]
  })
  return numbers.sort((one, other) => one - other).map((number) => segmentOf(folder, number))
}

const BLOCK_BYTES = 64 * 1024
const LINE_BREAK = 0x0a

/**
 * Reads the line that begins at an offset, without its line break.
 *
 * @returns undefined where no whole line is left.
 */
export async function readLine(path: string, offset: number): Promise<Buffer | undefined> {
  const handle = await open(path, 'r')
  try {
    const parts: Buffer[] = []
    for (let at = offset; ; ) {
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(BLOCK_BYTES), 0, BLOCK_BYTES, at)
      if (bytesRead === 0) return undefined
      const part = buffer.subarray(0, bytesRead)
      const end = part.indexOf(LINE_BREAK)
      parts.push(end === -1 ? part : part.subarray(0, end))
      if (end !== -1) return Buffer.concat(parts)
      at += bytesRead
    }
  } finally {
    await handle.close()
  }
}

/** Counts the lines from an offset on; undefined where no line begins there. */
export async function countLines(path: string, offset: number): Promise<number | undefined> {
  const handle = await open(path, 'r')
  try {
    const block = Buffer.alloc(BLOCK_BYTES)
    const before = offset === 0 ? undefined : await handle.read(block, 0, 1, offset - 1)
    if (before !== undefined && (before.bytesRead === 0 || block[0] !== LINE_BREAK)) return undefined
    let lines = 0
    for (let at = offset; ; ) {
      const { bytesRead } = await handle.read(block, 0, BLOCK_BYTES, at)
      if (bytesRead === 0) return lines
      for (const byte of block.subarray(0, bytesRead)) lines += byte === LINE_BREAK ? 1 : 0
      at += bytesRead
    }
  } finally {
    await handle.close()
  }
}

/** Makes the names in a folder safe from a power cut. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
