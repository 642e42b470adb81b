import type { Comparison, SameShare, StageError } from '../model/verify/compare.js'

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`
const small = (value: number): string => value.toExponential(1)

/** A comparison as a Markdown table. */
export function comparisonTable({ clips, pairs, stages, divergence, nextTokens, answers }: Comparison): string {
  const rows: readonly (readonly [string, string])[] = [
    ['compared', `clips: ${clips}, questions: ${pairs}`],
    ['features of a frame', stageText(stages.features)],
    ['visual tokens of a clip', stageText(stages.visualTokens)],
    ['logits of a token', stageText(stages.logits)],
    ['divergence of next tokens, nats', `mean ${small(divergence.mean)}, worst ${small(divergence.worst)}`],
    ['likeliest next token is the same', sameText(nextTokens)],
    ['whole answer is the same', sameText(answers)],
  ]
  return ['| what | found |', '| --- | --- |', ...rows.map(([what, found]) => `| ${what} | ${found} |`), ''].join('\n')
}

function stageText({ worstCosine, meanError, worstError }: StageError): string {
  return `cosine at least ${worstCosine.toFixed(5)}, relative error ${small(meanError)} (worst ${small(worstError)})`
}

function sameText({ same, total, share, interval: [low, high] }: SameShare): string {
  return `${same} of ${total}, ${percent(share)} (95 % interval ${percent(low)} – ${percent(high)})`
}
