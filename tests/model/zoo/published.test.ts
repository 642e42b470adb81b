/**
 * Every published checkpoint, in its own layout and under its own names, with small widths and random weights: it is converted
 * and answers. What the numbers are is the business of the goldens; here it is that nothing is left over, missing or misread.
 */
import { afterEach, beforeEach, expect, test } from 'vitest'

import { convertCheckpoint } from '../../../src/model/convert.js'
import { openStages } from '../../../src/model/verify/stages.js'
import { type TemporaryFolder, temporaryFolder } from '../../support/checkpoint-files.js'
import { writeRandomCheckpoint } from '../../support/random-checkpoint.js'
import { seededNormals } from '../../support/seeded.js'
import { PUBLISHED, contentOf } from '../../support/zoo/published.js'

let folder: TemporaryFolder
beforeEach(() => { folder = temporaryFolder() })
afterEach(() => { folder.remove() })

const NEW_TOKENS = 4

// 3 x 3 patches; SigLIP's first is dropped as if it were a class token, CLIP's class token is.
const TOKENS_PER_FRAME = { siglip: 8, clip: 9 }

function pictures(count: number) {
  const [width, height] = [40, 30]
  const draw = (seed: number) => Uint8Array.from(seededNormals(width * height * 3, seed), (value) => 128 + value * 40)
  return Array.from({ length: count }, (_, index) => ({ data: draw(index + 1), width, height }))
}

test.each(PUBLISHED)('$repository', async (checkpoint) => {
  const { connector, frames, language } = checkpoint
  writeRandomCheckpoint(folder.file('checkpoint'), { ...contentOf(checkpoint, 'small'), tokenizer: language.tokenizer })
  const manifest = await convertCheckpoint(folder.file('checkpoint'), folder.file('bundle'))
  expect(manifest.connector.name).toBe(connector)

  const stages = await openStages(folder.file('bundle'))
  const features = await stages.encode(pictures(frames))
  const visual = await stages.connect(features)
  const towerName = manifest.visionTower.name as keyof typeof TOKENS_PER_FRAME
  expect(visual.tokens).toBe(connector === 'mlp2x_gelu' ? frames * TOKENS_PER_FRAME[towerName] : 512)
  const { tokenIds, logits } = await stages.answer({ visual, question: 'What happens?', maxNewTokens: NEW_TOKENS })
  expect(tokenIds).toHaveLength(NEW_TOKENS)
  expect(logits.every((values) => values.every(Number.isFinite))).toBe(true)
})
