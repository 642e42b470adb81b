import { cpSync, linkSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

import { afterAll } from 'vitest'

import { encodeScene } from '../../scripts/demo-model/encode.js'
import { createScene } from '../../scripts/demo-model/scene.js'
import type { ShownMedia } from '../../src/eval/benchmark.js'
import type { BenchmarkName } from '../../src/eval/benchmark-names.js'
import { findBenchmark } from '../../src/eval/benchmarks.js'
import { DataFolder } from '../../src/eval/data-folder.js'
import { findFfmpeg } from '../../src/sources/decoding/ffmpeg-binary.js'
import { ffmpegSync } from '../sources/helpers/media.js'
import { dataPath } from './goldens.js'

/** A scratch folder of a test file, with a clip of the demo model's kind in it; gone after the tests. */
export class Miniatures {
  readonly path = mkdtempSync(join(tmpdir(), 'eval-miniature-'))

  constructor() {
    afterAll(() => {
      rmSync(this.path, { recursive: true })
    })
  }

  /** Draws the clip that all videos are. Call it first. */
  async draw(): Promise<void> {
    const short = join(this.path, 'short.mp4')
    await encodeScene(short, createScene(7), findFfmpeg())
    // Longer than any annotation of the miniature data says.
    ffmpegSync(['-stream_loop', '3', '-i', short, '-c', 'copy', join(this.path, 'clip.mp4')])
  }

  /** A data set in the format of a benchmark, videos and pictures included. */
  async copy(name: BenchmarkName, folder: string): Promise<string> {
    const copy = mkdtempSync(join(this.path, `${name}-`))
    cpSync(dataPath(folder), copy, { recursive: true })
    const { samples } = await findBenchmark(name).read(new DataFolder(copy))
    const media = new Map(samples.flatMap((sample) => ('path' in sample.media ? [[sample.media.path, sample.media.kind] as const] : [])))
    for (const [path, kind] of media) this.#put(path, kind)
    return copy
  }

  #put(path: string, kind: ShownMedia['kind']): void {
    mkdirSync(kind === 'folder' ? path : dirname(path), { recursive: true })
    const clip = join(this.path, 'clip.mp4')
    if (kind === 'video') linkSync(clip, path)
    // MJPEG, whatever the name: pictures are told apart by their bytes.
    else if (kind === 'picture') ffmpegSync(['-i', clip, '-frames:v', '1', '-f', 'image2', '-c:v', 'mjpeg', '-update', '1', path])
    else ffmpegSync(['-i', clip, '-vf', 'fps=3', join(path, '%05d.jpg')])
  }
}
