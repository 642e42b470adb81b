/** The names of all benchmarks, those of TinyLLaVA-Video first, then the Factory's about pictures. For whoever needs no more of them. */
export const benchmarkNames = [
  'video-mme', 'mvbench', 'longvideobench', 'mlvu', 'mmvu',
  'vqav2', 'gqa', 'sqa', 'textvqa', 'pope', 'mme', 'mm-vet', 'mmmu',
] as const

/** Name of a benchmark. */
export type BenchmarkName = (typeof benchmarkNames)[number]
