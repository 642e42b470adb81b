import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { concatMap, lastValueFrom, tap, toArray } from 'rxjs'

import { file, uniform } from '../../src/index.js'
import { findFfmpeg } from '../../src/sources/ffmpeg-binary.js'
import { type Row, medianMs } from './measure.js'

const SAMPLES = 16

function ffmpeg(binary: string, ...settings: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(binary, ['-v', 'error', '-nostdin', '-y', ...settings], { stdio: ['ignore', 'ignore', 'inherit'] })
    child.once('error', reject)
    child.once('close', (code) => { if (code === 0) resolve(); else reject(new Error(`ffmpeg ended with ${String(code)}`)) })
  })
}

/**
 * Times taking 16 frames of a long H.264 file against decoding all of it.
 *
 * @param minutes Length of the file: one minute is encoded and repeated without encoding it again.
 */
export async function benchSampling({ minutes, repeats }: { minutes: number; repeats: number }): Promise<Row> {
  const folder = await mkdtemp(join(tmpdir(), 'tinyllava-bench-'))
  try {
    const binary = findFfmpeg()
    const [minute, long] = [join(folder, 'minute.mp4'), join(folder, 'long.mp4')]
    await ffmpeg(binary, '-f', 'lavfi', '-i', 'testsrc2=size=640x360:rate=25:duration=60', '-c:v', 'libx264', '-preset', 'veryfast', minute)
    await ffmpeg(binary, '-stream_loop', String(minutes - 1), '-i', minute, '-c', 'copy', long)
    const sampled = await medianMs(() => takeFrames(long), repeats)
    // Once is enough: it takes minutes, and what it is compared with is a small part of it.
    const decoded = await medianMs(() => ffmpeg(binary, '-i', long, '-f', 'null', '-'), 1, 0)
    return {
      what: `${SAMPLES} frames of ${minutes} min of 640 x 360 H.264: share of a full decode's time`,
      figure: `${(sampled / 1000).toFixed(1)} s`,
      against: `${(decoded / 1000).toFixed(1)} s to decode all`,
      ratio: sampled / decoded,
    }
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function takeFrames(path: string): Promise<void> {
  const frames = file(path, { sampling: uniform(SAMPLES) }).streams.pipe(
    concatMap((stream) => stream.frames),
    tap((frame) => { frame.receipt.settle({ kind: 'skipped' }) }),
    toArray(),
  )
  const taken = await lastValueFrom(frames)
  if (taken.length !== SAMPLES) throw new Error(`${taken.length} of ${SAMPLES} frames came.`)
}
