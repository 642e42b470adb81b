import { linspaceIndices } from '../../sampling/linspace.js'
import { type FrameBudget, framesWanted } from './frame-budget.js'
import type { VideoFacts } from './video-facts.js'

/**
 * The places of frames spread evenly over all that there are, repeats included, as the reference takes them through
 * pytorchvideo: MVBench's MP4 files and MMVU. Source: TinyLLaVA-Video `eval/eval_mvbench.py` (`read_video`), `eval_mmvu.py`.
 */
export function decordIndices({ pts, averageFps }: Pick<VideoFacts, 'pts' | 'averageFps'>, budget: FrameBudget): number[] {
  return linspaceIndices(pts.length, framesWanted(budget, pts.length / averageFps))
}
