import { expectOneOf } from '../checks.js'
import { type BenchmarkName, benchmarkNames } from './benchmark-names.js'
import type { Benchmark } from './benchmark.js'
import { gqa, mmVet, mme, vqav2 } from './images/answers-only.js'
import { mmmu } from './images/mmmu.js'
import { pope } from './images/pope.js'
import { scienceQa } from './images/science-qa.js'
import { textVqa } from './images/text-vqa.js'
import { longVideoBench } from './long-video-bench.js'
import { mlvu } from './mlvu.js'
import { mmvu } from './mmvu.js'
import { mvbench } from './mvbench.js'
import { videoMme } from './video-mme.js'

const BENCHMARKS: Readonly<Record<BenchmarkName, Benchmark>> = {
  'video-mme': videoMme,
  mvbench,
  longvideobench: longVideoBench,
  mlvu,
  mmvu,
  vqav2,
  gqa,
  sqa: scienceQa,
  textvqa: textVqa,
  pope,
  mme,
  'mm-vet': mmVet,
  mmmu,
}

/**
 * Finds a benchmark by its name.
 *
 * @throws {StreamError} `SETTING_INVALID`, listing the names.
 */
export function findBenchmark(name: string): Benchmark {
  return BENCHMARKS[expectOneOf('benchmark', name, benchmarkNames)]
}
