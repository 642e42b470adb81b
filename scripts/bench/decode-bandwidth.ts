import { join } from 'node:path'

import { GRAPH_FILES } from '../../src/model/manifest.js'
import { randomBundle } from './bundles.js'
import { runScript } from './child.js'
import type { Geometry } from './checkpoint/geometry.js'
import { type Row, median, medianMs } from './measure.js'
import { openMemoryRead } from './memory-bandwidth.js'
import { lengthFlags } from './text-arguments.js'
import { type TextLength, textTimesSchema, tokenRates } from './text-times.js'
import { weightBytesPerRun } from './weight-bytes.js'

/** How decoding is timed. */
export interface DecodeBench {
  /** Folder for checkpoints and bundles. */
  readonly cache: string
  readonly geometry: Geometry
  readonly threads: number
  readonly rounds: number
  readonly length: TextLength
  /** Of the buffer that memory's speed is measured with. */
  readonly bufferBytes: number
}

/** Times decoding in 4 bit, one answer at a time, against how fast this machine reads memory; both take turns. */
export async function benchDecodeBandwidth({ cache, geometry, threads, rounds, length, bufferBytes }: DecodeBench): Promise<readonly Row[]> {
  const bundle = await randomBundle(cache, geometry, 'int4')
  const weights = await weightBytesPerRun(join(bundle, GRAPH_FILES.appendingDecoder))
  const rates: number[] = []
  const speeds: number[] = []
  for (let round = 0; round < rounds; round += 1) {
    speeds.push(await memoryReadSpeed(bufferBytes, threads))
    const flags = [...lengthFlags(length), '--repeats', '1', '--threads', String(threads)]
    const outcome = await runScript('text.ts', [bundle, ...flags], { schema: textTimesSchema })
    if (outcome.kind !== 'done') throw new Error('Nothing was decoded: see above.')
    rates.push(tokenRates(outcome.result, length).decode)
  }
  const [rate, speed] = [median(rates), median(speeds)]
  return [{
    what: `Qwen2 ${geometry.text.width} wide, ${geometry.text.layers} layers, int4: share of memory's read speed that decoding reaches with its weights alone`,
    figure: `${rate.toFixed(1)} tokens/s, ${((rate * weights) / 1e9).toFixed(1)} GB/s (${(weights / 1e9).toFixed(2)} GB a token)`,
    against: `${(speed / 1e9).toFixed(1)} GB/s`,
    ratio: (rate * weights) / speed,
    goal: { atLeast: 0.8 },
  }]
}

/** Bytes a second. The buffer is let go at once: it would take memory from what is compared. */
async function memoryReadSpeed(bytes: number, threads: number): Promise<number> {
  const read = await openMemoryRead(bytes, threads)
  try {
    return bytes / (await medianMs(() => read.run(), 5) / 1000)
  } finally {
    await read.close()
  }
}
