/** Writes NUT as small as the specification allows, to test the reader with what ffmpeg would never write. */

export const FILE_ID = Buffer.from('nut/multimedia container\0')

/** A `v`. */
export function unsigned(value: number): number[] {
  const groups = [value % 128]
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) groups.unshift((rest % 128) | 0x80)
  return groups
}

/** A packet of a kind (`M`, `S` or `K`): startcode, length, body, checksum. */
export function packet(kind: 'M' | 'S' | 'K', body: readonly number[]): Buffer {
  const startcode = [0x4e, kind.charCodeAt(0), 1, 2, 3, 4, 5, 6]
  return Buffer.from([...startcode, ...unsigned(body.length + 4), ...body, 0, 0, 0, 0])
}

const CODED = 4096
const FLAGS_IN_FRAME = 8 | 32
const HEADER_INDEX = 1024

/** A main header: one stream, one time base; a frame of code 0 says all about itself. */
export function mainHeader({
  version = 3,
  streams = 1,
  timeBase = [1, 25] as readonly number[],
  elided = [] as readonly (readonly number[])[],
} = {}): Buffer {
  const frameCodes = [...unsigned(CODED), 6, 0, 1, 0, 0, 0, ...unsigned(255)]
  return packet('M', [
    ...unsigned(version),
    ...unsigned(streams),
    ...unsigned(65536),
    1,
    ...timeBase.flatMap(unsigned),
    ...frameCodes,
    elided.length,
    ...elided.flatMap((bytes) => [bytes.length, ...bytes]),
  ])
}

/** A stream header for rgb24 of a size. */
export function streamHeader({ width = 2, height = 2, kind = 0, timeBase = 0 } = {}): Buffer {
  const fourcc = [4, ...Buffer.from('RGB\x18', 'latin1')]
  const shift = 7
  return packet('S', [0, kind, ...fourcc, timeBase, shift, 0, 0, 0, 0, ...unsigned(width), ...unsigned(height), 1, 1, 0])
}

/** A frame; `elided` names the header it starts with and leaves out. */
export function frame(pts: number, data: Uint8Array, { inFull = true, elided = 0, elidedLength = 0 } = {}): Buffer {
  const time = inFull ? pts + 128 : pts % 128
  const flags = FLAGS_IN_FRAME | (elided > 0 ? HEADER_INDEX : 0)
  const fields = [...unsigned(flags), ...unsigned(time), ...unsigned(data.length), ...(elided > 0 ? [elided] : [])]
  return Buffer.from([0, ...fields, ...data.subarray(elidedLength)])
}

/** A syncpoint that sets the clock. */
export function syncpoint(pts: number): Buffer {
  return packet('K', [...unsigned(pts), 0])
}
