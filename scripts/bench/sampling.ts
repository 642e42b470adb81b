import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { concatMap, lastValueFrom, tap, toArray } from 'rxjs'

import { type Sampling, byFps, file, uniform } from '../../src/index.js'
import { findFfmpeg } from '../../src/sources/decoding/ffmpeg-binary.js'
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
 * Times taking 16 frames of a long H.264 file against decoding all of it, and taking keyframes only against
 * taking the very frames.
 *
 * @param minutes Length of the file: one minute is encoded and repeated without encoding it again.
 */
export async function benchSampling({ minutes, repeats }: { minutes: number; repeats: number }): Promise<readonly Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'tinyllava-bench-'))
  try {
    const binary = findFfmpeg()
    const [minute, long] = [join(folder, 'minute.mp4'), join(folder, 'long.mp4')]
    await ffmpeg(binary, '-f', 'lavfi', '-i', 'testsrc2=size=640x360:rate=25:duration=60', '-c:v', 'libx264', '-preset', 'veryfast', minute)
    await ffmpeg(binary, '-stream_loop', String(minutes - 1), '-i', minute, '-c', 'copy', long)
    const what = `of ${minutes} min of 640 x 360 H.264`
    const sampled = await timeFrames(long, uniform(SAMPLES), repeats)
    const [key, keyEvery10s] = [uniform(SAMPLES, { keyframesOnly: true }), byFps(0.1, { keyframesOnly: true })]
    const keyframes = await timeFrames(long, key, repeats)
    const exactEvery10s = await timeFrames(long, byFps(0.1), 1)
    const every10s = await timeFrames(long, keyEvery10s, 1)
    // Once is enough: it takes minutes, and what it is compared with is a small part of it.
    const decodedMs = await medianMs(() => ffmpeg(binary, '-i', long, '-f', 'null', '-'), 1, 0)
    return [
      {
        what: `${SAMPLES} frames ${what}: share of a full decode's time`,
        figure: seconds(sampled.wallMs),
        against: `${seconds(decodedMs)} to decode all`,
        ratio: sampled.wallMs / decodedMs,
      },
      shareRow(`${SAMPLES} keyframes ${what}`, keyframes, sampled),
      shareRow(`a keyframe each 10 s ${what}`, every10s, exactEvery10s),
    ]
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** What taking frames costs: time, and the processor time of ffmpeg. */
interface Cost {
  readonly wallMs: number
  readonly cpuMs: number
}

function shareRow(what: string, part: Cost, whole: Cost): Row {
  const show = ({ wallMs, cpuMs }: Cost): string => `${seconds(wallMs)} (${seconds(cpuMs)} of CPU)`
  return { what: `${what}: share of the exact frames' time`, figure: show(part), against: show(whole), ratio: part.wallMs / whole.wallMs }
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`
}

async function timeFrames(path: string, sampling: Sampling, repeats: number): Promise<Cost> {
  const before = childrenCpuMs()
  const wallMs = await medianMs(() => takeFrames(path, sampling), repeats, 0)
  return { wallMs, cpuMs: (childrenCpuMs() - before) / repeats }
}

/** Processor time of the child processes that have ended, as Linux counts it: in hundredths of a second. NaN elsewhere. */
export function childrenCpuMs(): number {
  if (process.platform !== 'linux') return NaN
  const text = readFileSync('/proc/self/stat', 'utf8')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[13]) + Number(fields[14])) * 10
}

async function takeFrames(path: string, sampling: Sampling): Promise<void> {
  const frames = file(path, { sampling }).streams.pipe(
    concatMap((stream) => stream.frames),
    tap((frame) => { frame.receipt.settle({ kind: 'skipped' }) }),
    toArray(),
  )
  const taken = await lastValueFrom(frames)
  // A short file has fewer keyframes.
  const isShort = sampling.kind === 'uniform' && sampling.keyframesOnly !== true && taken.length !== sampling.frames
  if (isShort || taken.length === 0) throw new Error(`${taken.length} frames came.`)
}
